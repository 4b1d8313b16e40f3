#include <algorithm>
#include <list>
#include <map>

#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t contacts = 500;
constexpr std::size_t rounds = 8;           // messages that each contact has written
constexpr std::size_t header_keys = 3;      // of a session in use: current chain, next chain, the last one
constexpr std::size_t swept = 32UL << 20U;  // more than the caches of a core hold

/// All sessions of a device, newest use first, as the engine's SessionBook keeps them.
class Book {
  public:
    void add(End end) { ends_.push_back(std::move(end)); }
    /// Opens the envelope, whose session becomes the newest; false if it belongs to none.
    bool take(ByteView bytes) {
        const auto envelope = must(crypto::Envelope::parse(bytes), "parsing an envelope");
        for (auto at = ends_.begin(); at != ends_.end(); ++at) {
            const auto match = at->session().find(envelope);
            if (!match) continue;
            benchmark::DoNotOptimize(at->open(envelope, *match));
            ends_.splice(ends_.begin(), ends_, at);
            return true;
        }
        return false;
    }
    [[nodiscard]] Book copy() const {
        Book out;
        for (const auto& end : ends_) out.add(end.copy());
        return out;
    }

  private:
    std::list<End> ends_;
};

struct Known {
    Book book;
    /// Each contact's messages, in rounds: the one who writes next is always the one who was silent longest.
    std::vector<Bytes> envelopes;
};

const Known& known() {
    static const Known all = [] {
        Known out;
        std::vector<End> senders;
        for (std::size_t i = 0; i < contacts; ++i) {
            auto pair = acquainted();
            pair.bob.open(pair.alice.seal(content()));  // their chain is known
            out.book.add(std::move(pair.bob));
            senders.push_back(std::move(pair.alice));
        }
        std::ranges::reverse(senders);
        for (std::size_t round = 0; round < rounds; ++round)
            for (auto& sender : senders) out.envelopes.push_back(sender.seal(content()));
        return out;
    }();
    return all;
}

void sweep_caches() {
    static std::vector<std::byte> memory(swept);
    for (std::size_t i = 0; i < memory.size(); i += 64) memory[i] ^= std::byte{1};
    benchmark::ClobberMemory();
}

void must_be(bool ok) {
    if (!ok) throw std::runtime_error("an envelope was taken for what it is not");
}

void from_a_contact(benchmark::State& state, bool cold) {
    const auto& start = known();
    auto book = start.book.copy();
    std::size_t at = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (at == start.envelopes.size() || cold) {
            state.PauseTiming();
            if (at == start.envelopes.size()) {
                book = start.book.copy();
                at = 0;
            }
            if (cold) sweep_caches();
            state.ResumeTiming();
        }
        must_be(book.take(start.envelopes.at(at++)));
    }
}

/// As long as a message of 256 bytes, but nobody's.
void garbage_message(benchmark::State& state) {
    auto book = known().book.copy();
    auto bytes = system_rng().bytes<480>();
    bytes[0] = std::byte{crypto::envelope_message};
    for ([[maybe_unused]] auto _ : state) must_be(!book.take(bytes));
}

/// A stranger's handshake, whole but for its sealed identity, for keys that this device has had or not.
struct Forged {
    audit::Person self{"bob@chat.example", system_rng(), 7};
    Bytes bytes = [this] {
        const audit::Person stranger{"mallory@chat.example", system_rng()};
        End end{must(audit::begin(stranger, self.bundle()), "beginning a session")};
        auto out = end.seal(content());
        const auto envelope = must(crypto::Envelope::parse(out), "parsing an envelope");
        return audit::flipped(out, envelope.prefix().size() - 1);
    }();
};

/// The engine's way: is it a handshake that was accepted before, does it belong to a session, were its keys
/// ours, and only then the agreements.
void garbage_handshake(benchmark::State& state, bool names_our_keys) {
    const Forged forged;
    auto book = known().book.copy();
    std::map<Array<32>, std::size_t> accepted_before;
    for (std::size_t i = 0; i < contacts; ++i) accepted_before.emplace(system_rng().bytes<32>(), i);
    const std::map<std::uint32_t, const crypto::SignedPrekeyPair*> prekeys{
        {names_our_keys ? 11U : 12U, &forged.self.signed_prekey}};
    for ([[maybe_unused]] auto _ : state) {
        const auto envelope = must(crypto::Envelope::parse(forged.bytes), "parsing an envelope");
        const auto header = must(crypto::parse_handshake(envelope), "parsing a handshake");
        must_be(!accepted_before.contains(header.replay_id) && !book.take(forged.bytes));
        const bool ours = prekeys.contains(header.signed_prekey);
        must_be(ours == names_our_keys);
        if (ours) must_be(!audit::answer(forged.self, forged.bytes));
    }
}

void look_everywhere(Bare& b) {
    for (std::size_t key = 0; key < contacts * header_keys; ++key) b.hint();
}

}  // namespace

void add_contacts(Jobs& jobs) {
    constexpr auto looking = "1,500 SipHash";
    const auto found = [](Bare& b) {
        look_everywhere(b);
        b.open_message();
    };
    jobs.add(
        {"500 contacts: opened, from who was silent longest", 80.0,
         std::string{looking} + ", a message opened"},
        [](benchmark::State& s) { from_a_contact(s, false); }, found);
    jobs.add(
        {"500 contacts: the same, all caches swept before", 80.0,
         std::string{looking} + ", a message opened; caches warm"},
        [](benchmark::State& s) { from_a_contact(s, true); }, found);
    jobs.add({"500 contacts: garbage like a message", 80.0, looking}, garbage_message, look_everywhere);
    jobs.add(
        {"500 contacts: garbage like a handshake", 80.0, looking},
        [](benchmark::State& s) { garbage_handshake(s, false); }, look_everywhere);
    jobs.add(
        {"500 contacts: a forged handshake for keys of ours", std::nullopt,
         std::string{looking} + ", 3 X25519, ML-KEM key expanded and decapsulation, HKDF"},
        [](benchmark::State& s) { garbage_handshake(s, true); },
        [](Bare& b) {
            look_everywhere(b);
            for (int dh = 2; dh <= 4; ++dh) b.agree();
            b.kem_key();
            b.decapsulate();
            b.handshake_kdf();
        });
}

}  // namespace sotto::bench
