#include "people.hpp"

#include <algorithm>

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

void GivenRng::fill(std::span<std::byte> out) {
    if (out.size() > bytes_.size() - at_) throw std::logic_error("more randomness than the vector names");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
    at_ += out.size();
}

Person::Person(std::string_view address, Rng& generator, std::uint32_t device_id)
    : rng(&generator),
      account(AccountKeyPair::generate(generator)),
      device(device_id),
      signing(DeviceSigningKeyPair::generate(generator)),
      identity(IdentityKeyPair::generate(generator)),
      signed_prekey(SignedPrekeyPair::generate(generator)),
      one_time(OneTimePrekeyPair::generate(generator)),
      kem_one_time(KemKeyPair::generate(generator)),
      kem_last(KemKeyPair::generate(generator)),
      record(must(AccountRecord::sign(body(address), account), "signing a record")) {}

RecordBody Person::body(std::string_view address) const {
    return RecordBody{must(Address::parse(address), "parsing an address"),
                      1,
                      {},
                      today - 5,
                      account.public_key(),
                      std::nullopt,
                      {Device{device, signing.public_key(), identity.public_key(), {1}}},
                      {}};
}

void Person::sign_again(const RecordBody& changed) {
    record = must(AccountRecord::sign(changed, account), "signing a record");
}

PrekeyBundle Person::bundle(bool one_time_keys, std::uint32_t day) const {
    const auto kind = one_time_keys ? KemPrekeyKind::one_time : KemPrekeyKind::last_resort;
    PrekeyBundle out{record, device, SignedPrekey::make(11, signed_prekey, day, record, device, signing),
                     KemPrekey::make(kind, one_time_keys ? 33 : 44, one_time_keys ? kem_one_time : kem_last,
                                     day, device, signing),
                     std::nullopt};
    if (one_time_keys) out.one_time_prekey = OneTimePrekey{22, one_time.public_key()};
    return out;
}

ResponderKeys Person::keys_for(const HandshakeHeader& header) const {
    return {signed_prekey, header.one_time_prekey ? &one_time : nullptr,
            header.kem_kind == KemPrekeyKind::one_time ? kem_one_time : kem_last};
}

Result<Session> begin(const Person& from, const PrekeyBundle& to, const InviteSecret* invite) {
    return initiate(from.local(), to, invite, today, *from.rng);
}

Result<Accepted> answer(const Person& self, ByteView envelope) {
    const auto parsed = Envelope::parse(envelope);
    if (!parsed) return std::unexpected(parsed.error());
    const auto header = parse_handshake(*parsed);
    if (!header) return std::unexpected(header.error());
    return accept(self.local(), self.keys_for(*header), *parsed, now_ms, *self.rng);
}

End::End(Opened first, Rng& rng) : session_(first.next.clone()), rng_(&rng) {
    store(first);
}

void End::reload() {
    const auto bytes = session_.serialize();
    auto parsed = must(Session::parse(bytes), "reading a stored session");
    if (!std::ranges::equal(bytes, parsed.serialize()))
        throw std::runtime_error("a stored session is written differently than it was read");
    session_ = std::move(parsed);
}

Bytes End::seal(ByteView content) {
    reload();
    auto sealed = must(session_.seal(content, now_ms, *rng_), "sealing");
    session_ = std::move(sealed.next);
    return std::move(sealed.envelope);
}

Result<Opened> End::try_open(ByteView envelope) {
    const auto parsed = Envelope::parse(envelope);
    if (!parsed) return std::unexpected(parsed.error());
    const auto match = session_.find(*parsed);
    if (!match) return std::unexpected(match.error());
    const MessageKey* kept = nullptr;
    if (match->needs) {
        const auto found = keys_.find({match->needs->chain, match->needs->n});
        if (found != keys_.end()) kept = &found->second;
    }
    return session_.open(*parsed, *match, kept, now_ms, *rng_);
}

Result<std::string> End::open(ByteView envelope) {
    reload();
    const auto before = session_.serialize();
    auto opened = try_open(envelope);
    if (!opened) {
        if (!std::ranges::equal(before, session_.serialize()))
            throw std::runtime_error("a refused envelope changed the session");
        return std::unexpected(opened.error());
    }
    late_ = opened->late;
    store(*opened);
    session_ = std::move(opened->next);
    return std::string{chars_of(opened->content)};
}

bool End::hears(ByteView envelope, std::string_view content) {
    const auto heard = open(envelope);
    return heard && *heard == content;
}

bool End::refuses(ByteView envelope, std::optional<Error> as) {
    const auto heard = open(envelope);
    return !heard && (!as || heard.error() == *as);
}

void End::store(Opened& opened) {
    for (const auto chain : opened.dropped_chains)
        std::erase_if(keys_, [chain](const auto& entry) { return entry.first.first == chain; });
    for (auto& key : opened.kept) keys_.emplace(std::pair{key.chain, key.n}, std::move(key.key));
    if (opened.used) keys_.erase({opened.used->chain, opened.used->n});
}

End End::copy(Rng& rng) const {
    End out{session_.clone(), rng};
    for (const auto& [id, key] : keys_) out.keys_.emplace(id, key.clone());
    return out;
}

namespace {

End accepted(const Person& self, End& from) {
    return End{must(answer(self, from.seal("hello")), "answering a handshake").first, *self.rng};
}

}  // namespace

Conversation::Conversation(Rng& rng, Begun begun)
    : alice_person("alice@chat.example", rng),
      bob_person("bob@chat.example", rng, 7),
      alice(must(begin(alice_person, bob_person.bundle()), "beginning a session"), rng),
      bob(accepted(bob_person, alice)) {
    if (!alice.hears(bob.seal("hi"), "hi")) throw std::runtime_error("the first reply did not arrive");
    if (begun == Begun::answered) return;
    if (!round_trip() || !round_trip() || alice.session().epoch() != 1 || bob.session().epoch() != 1)
        throw std::runtime_error("the first epoch did not begin");
}

bool Conversation::round_trip() {
    return bob.hears(alice.seal("ping"), "ping") && alice.hears(bob.seal("pong"), "pong");
}

bool Conversation::round_trip_before(End& listener) {
    const auto ping = alice.seal("ping");
    // Who has overheard it turns a chain like Bob's, with randomness of its own.
    if (listener.open(ping)) (void)listener.seal("pong");
    return bob.hears(ping, "ping") && alice.hears(bob.seal("pong"), "pong");
}

Bytes flipped(ByteView bytes, std::size_t at, unsigned bit) {
    auto out = to_bytes(bytes);
    out.at(at) ^= static_cast<std::byte>(1U << bit);
    return out;
}

}  // namespace sotto::audit
