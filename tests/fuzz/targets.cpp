#include "targets.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "audit/people.hpp"
#include "client/engine/content.hpp"
#include "client/world.hpp"
#include "frames.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/direct.hpp"
#include "sotto/crypto/safety_number.hpp"
#include "sotto/protocol/link.hpp"
#include "sotto/protocol/text.hpp"
#include "sotto/storage/vault.hpp"
#include "support/process.hpp"

namespace sotto::fuzz {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)
using audit::Conversation;
using audit::Person;

SeededRng& randomness() {
    static SeededRng rng{1};
    return rng;
}
const Person& bob() {
    static const Person person{"bob@chat.example", randomness(), 7};
    return person;
}

bool same(ByteView a, ByteView b) {
    return std::ranges::equal(a, b);
}

// ---- what is signed and published ----

void feed_record(ByteView input) {
    const auto record = AccountRecord::parse(input);
    if (record) promise(same(record->bytes(), input), "a record keeps its bytes");
}

template <class Prekey>
void feed_prekey(ByteView input) {
    const auto prekey = Prekey::decode(input);
    if (prekey) promise(same(prekey->encode(), input), "a prekey is written as it was read");
}

// ---- envelopes ----

/// A message that opens, and the one who can open it.
struct Mail {
    Mail() : conversation(rng), envelope(conversation.alice.seal("the words")) {}
    SeededRng rng{2};
    Conversation conversation;
    Bytes envelope;
};
Mail& mail() {
    static Mail mail;
    return mail;
}

Bytes first_message() {
    static const Bytes envelope = [] {
        const Person alice{"alice@chat.example", randomness()};
        auto session = audit::must(audit::begin(alice, bob().bundle()), "beginning");
        return audit::End{std::move(session), randomness()}.seal("hello");
    }();
    return envelope;
}

void feed_envelope(ByteView input) {
    auto receiver = mail().conversation.bob.copy(randomness());
    const auto opened = receiver.open(input);
    promise(opened.has_value() == same(input, mail().envelope), "the one envelope opens and no other");
}

void feed_handshake(ByteView input) {
    const auto accepted = audit::answer(bob(), input);
    promise(accepted.has_value() == same(input, first_message()), "the one first message opens and no other");
}

void feed_frames(ByteView input) {
    // After an authentic tag: whatever comes has to be refused or read, within its own bytes.
    const auto frames = read_frames(input);
    (void)frames;
}

void feed_session(ByteView input) {
    const auto session = Session::parse(input);
    if (!session) return;
    const auto written = session->serialize();
    const auto again = Session::parse(written);
    promise(again && same(again->serialize(), written), "a session that was read is written as it is read");
}

// ---- what clients and people say ----

void feed_content(ByteView input) {
    const auto content = client::parse_content(input, {});
    if (!content) return;
    promise(protocol::valid_utf8(content->text), "a text is UTF-8");
    if (!content->direct) return;
    const auto& path = content->direct->path;
    promise(path.candidates.size() <= client::max_candidates && path.tcp.size() <= client::max_tcp_endpoints,
            "a description is of bounded size");
    for (const auto& line : path.candidates)
        promise(line.size() <= client::max_candidate_size && line.find('\n') == std::string::npos,
                "a candidate is one line");
}

// ---- a direct stream: the seed holds all that the other side ever said ----

constexpr std::string_view only_frame = "the only frame";

DirectKey stream_key() {
    return DirectKey{Array<32>{std::byte{7}}};
}
DirectStream listening_stream() {
    SeededRng rng{5};
    return DirectStream::accept(stream_key(), DirectRole::answerer, rng);
}

void feed_direct(ByteView input) {
    // The first byte says where the rest is cut.
    if (input.empty()) return;
    const auto rest = input.subspan(1);
    const auto cut = std::min<std::size_t>(std::to_integer<std::size_t>(input[0]), rest.size());
    auto stream = listening_stream();
    std::size_t frames = 0;
    for (const auto piece : {rest.first(cut), rest.subspan(cut)}) {
        const auto taken = stream.take(piece);
        if (!taken) break;
        promise(taken->reply.empty() || rest.size() >= direct_flight_size, "nobody answers half a flight");
        for (const auto& frame : taken->frames) {
            ++frames;
            promise(same(frame, bytes_of(only_frame)), "nothing is taken that was not said");
        }
    }
    promise(frames <= 1, "nothing is taken twice");
}

void feed_link(ByteView input) {
    const auto text = chars_of(input);
    if (const auto server = protocol::parse_server_link(text)) {
        const auto again = protocol::parse_server_link(protocol::format_server_link(*server));
        promise(again && *again == *server, "a server link comes back");
    }
    if (const auto contact = protocol::parse_contact_link(text)) {
        const auto again = protocol::parse_contact_link(protocol::format_contact_link(*contact));
        promise(again && again->address == contact->address && again->endpoint == contact->endpoint,
                "a contact link comes back");
    }
}

void feed_text(ByteView input) {
    for (const bool multiline : {false, true}) {
        const auto shown = protocol::printable(chars_of(input), multiline);
        promise(protocol::valid_utf8(shown), "what is shown is UTF-8");
        for (const char c : shown) {
            const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            promise(!control || (multiline && (c == '\n' || c == '\t')), "what is shown controls nothing");
        }
    }
}

void feed_codec(ByteView input) {
    const auto text = chars_of(input);
    if (const auto bytes = from_base64url(text))
        promise(to_base64url(*bytes) == text, "base64url has one form");
    promise(same(from_base64url(to_base64url(input)).value(), input), "base64url comes back");
    promise(same(from_hex(to_hex(input)).value(), input), "hexadecimal comes back");
    if (const auto address = Address::parse(text))
        promise(address->text() == text, "an address has one form");
    if (const auto number = parse_safety_number(text)) {
        const auto again = parse_safety_number(safety_number_qr(number->digits));
        promise(again && again->qr && again->digits == number->digits, "a safety number comes back");
    }
}

/// The server's own rules, a new connection for every input, which is taken as frames of `u16 length ‖
/// frame`.
void feed_server(ByteView input) {
    struct Host {
        client::test::World world{3};
        client::test::SimServer& server = world.add_server("one.example");
    };
    static Host host;
    for (const auto purpose : {client::Purpose::identified, client::Purpose::delivery}) {
        const auto connection = host.server.accept(purpose, {});
        Reader reader{input};
        for (int frames = 0; frames < 8 && !reader.remaining().empty(); ++frames) {
            const auto size = std::min<std::size_t>(reader.u16(), reader.remaining().size());
            const auto frame = reader.take(std::min<std::size_t>(size, 4096));
            host.server.receive(connection, frame);
            (void)host.server.take();
        }
        host.server.disconnect(connection);
    }
}

// ---- what lies on the disk ----

constexpr std::string_view passphrase = "fuzz";

Bytes vault_file() {
    static const Bytes file = [] {
        const test::TemporaryFolder folder;
        const auto account = AccountKeyPair::generate(randomness());
        (void)audit::must(
            storage::Vault::create(folder / "vault", bytes_of(passphrase),
                                   {.memory_kib = 8 * 1024, .passes = 1}, account, randomness()),
            "making a vault");
        return to_bytes(bytes_of(test::read_file(folder / "vault")));
    }();
    return file;
}

void feed_vault(ByteView input) {
    static const test::TemporaryFolder folder;
    const auto right = vault_file();
    auto bytes = to_bytes(input);
    // Costs are kept small: gigabytes would be tried out, as they should.
    if (bytes.size() == right.size()) std::copy_n(right.begin() + 1, 8, bytes.begin() + 1);
    test::write_file(folder / "vault", chars_of(bytes));
    const bool opens = storage::Vault::open(folder / "vault", bytes_of(passphrase)).has_value() &&
                       storage::Vault::account_key(folder / "vault", bytes_of(passphrase)).has_value();
    promise(opens == (bytes == right), "the one vault opens and no other");
}

// ---- seeds ----

Bytes text(std::string_view words) {
    return to_bytes(bytes_of(words));
}

std::vector<Bytes> record_seeds() {
    return {to_bytes(bob().record.bytes())};
}
std::vector<Bytes> signed_prekey_seeds() {
    return {bob().bundle().signed_prekey.encode()};
}
std::vector<Bytes> kem_prekey_seeds() {
    return {bob().bundle().kem_prekey.encode()};
}
std::vector<Bytes> one_time_prekey_seeds() {
    return {bob().bundle().one_time_prekey.value().encode()};
}
std::vector<Bytes> envelope_seeds() {
    return {mail().envelope};
}
std::vector<Bytes> handshake_seeds() {
    return {first_message()};
}
std::vector<Bytes> frame_seeds() {
    Bytes frame{std::byte{1}};
    Writer writer{frame};
    writer.u32(5);
    writer.raw(bytes_of("words"));
    frame.resize(32);
    return {frame};
}
std::vector<Bytes> session_seeds() {
    std::vector<Bytes> out;
    for (const auto* const end : {&mail().conversation.alice, &mail().conversation.bob}) {
        const auto record = end->session().serialize();
        out.emplace_back(record.begin(), record.end());
    }
    return out;
}
std::vector<Bytes> content_seeds() {
    content::Content content;
    content.set_message_id(std::string(16, 'i'));
    content.set_conversation_id(std::string(32, '\0'));
    content.set_sequence(1);
    content.mutable_text()->set_body("the words");
    auto offer = content;
    offer.set_sequence(0);
    client::fill(*offer.mutable_direct_offer(), {}, DirectSecret{},
                 {.ufrag = "abcd",
                  .password = std::string(22, 'p'),
                  .candidates = {"candidate:1 1 UDP 1 192.0.2.1 9 typ host"},
                  .tcp = {{.address = Bytes(4), .port = 9}}});
    return {client::encode(content), client::encode(offer)};
}
std::vector<Bytes> direct_seeds() {
    SeededRng rng{6};
    Bytes said{std::byte{100}};
    Bytes first;
    auto opener = DirectStream::open(stream_key(), DirectRole::offerer, rng, first);
    Writer writer{said};
    writer.raw(first);
    auto listening = listening_stream();
    writer.raw(opener.take(listening.take(first).value().reply).value().reply);
    writer.raw(opener.seal(bytes_of(only_frame)));
    return {said, Bytes(1 + direct_flight_size)};
}
std::vector<Bytes> link_seeds() {
    const protocol::Endpoint endpoint{"chat.example", 7443, Array<32>{}};
    const protocol::ContactLink link{endpoint, bob().record.body().address, InviteSecret{}, {}};
    return {text(protocol::format_server_link(endpoint)), text(protocol::format_contact_link(link))};
}
std::vector<Bytes> text_seeds() {
    return {text("words\x1b[2J"), text("\xe2\x80\xae"), text("\xed\xa0\x80")};
}
std::vector<Bytes> codec_seeds() {
    return {text("c290dG8"), text("bob@chat.example"), text("bob@[2001:db8::1]"),
            text(safety_number_qr(std::string(safety_number_digits, '7')))};
}
std::vector<Bytes> server_seeds() {
    wire::Request request;
    request.set_id(1);
    request.mutable_fetch_records()->set_user("bob");
    Bytes out;
    for (int i = 0; i < 2; ++i) {
        const auto frame = request.SerializeAsString();
        Writer{out}.u16(static_cast<std::uint16_t>(frame.size()));
        Writer{out}.raw(bytes_of(frame));
        request.mutable_ping();
    }
    return {out};
}
std::vector<Bytes> vault_seeds() {
    return {vault_file()};
}

constexpr std::array all{
    Target{"account-record", feed_record, record_seeds},
    Target{"signed-prekey", feed_prekey<SignedPrekey>, signed_prekey_seeds},
    Target{"kem-prekey", feed_prekey<KemPrekey>, kem_prekey_seeds},
    Target{"one-time-prekey", feed_prekey<OneTimePrekey>, one_time_prekey_seeds},
    Target{"envelope", feed_envelope, envelope_seeds},
    Target{"handshake", feed_handshake, handshake_seeds},
    Target{"frames", feed_frames, frame_seeds},
    Target{"session-state", feed_session, session_seeds},
    Target{"content", feed_content, content_seeds},
    Target{"direct-stream", feed_direct, direct_seeds},
    Target{"link", feed_link, link_seeds},
    Target{"text", feed_text, text_seeds},
    Target{"codec", feed_codec, codec_seeds},
    Target{"server-frames", feed_server, server_seeds},
    Target{"vault", feed_vault, vault_seeds},
    Target{"session-events", feed_session_events, session_event_seeds},
};

}  // namespace

std::span<const Target> targets() {
    return all;
}

const Target* target_called(std::string_view name) {
    const auto* const found = std::ranges::find(all, name, &Target::name);
    return found == all.end() ? nullptr : found;
}

}  // namespace sotto::fuzz
