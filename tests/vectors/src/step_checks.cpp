// The definitions of sections 7 and 8, each from the values beside it, with labels as they are printed there.
#include "message.hpp"
#include "steps.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

constexpr std::size_t header_size_sealed = 61;

/// CK′ ‖ MK = mac64(CK): 7.3.
struct Step {
    explicit Step(ByteView chain_key) { mac64(chain_key, "Sotto/1/chain", {}, both); }
    [[nodiscard]] ByteView chain() const { return ByteView{both}.first(32); }
    [[nodiscard]] ByteView message() const { return ByteView{both}.last(32); }
    Array<64> both{};
};

/// Where the message begins in an envelope: behind the type byte and the handshake part.
std::size_t prefix_size(ByteView envelope) {
    Reader reader{envelope};
    if (reader.u8() == 0x12) return 1;
    return 3 + std::size_t{reader.u16()};
}

/// The kept keys of one chain, one after the other from `chain_key`; returns the chain key behind them.
Bytes check_kept(const Json& kept, std::uint32_t chain, Bytes chain_key) {
    for (const auto& one : kept) {
        if (number<std::uint32_t>(one, "chain") != chain) continue;
        const Step step{chain_key};
        expect(one, "key", step.message());
        chain_key = to_bytes(step.chain());
    }
    return chain_key;
}

void check_receiving_chain(const Json& step) {
    const auto chain = number<std::uint32_t>(step, "chain_number");
    if (step.contains("ended_chain_key") && chain > 1)
        check_kept(step.at("kept"), chain - 1, bytes(step, "ended_chain_key"));
    const Step last{check_kept(step.at("kept"), chain, bytes(step, "chain_key"))};
    expect(step, "message_key", last.message());
    expect(step, "next_chain_key", last.chain());
}

void check_body(const Json& step, ByteView body, ByteView content) {
    Bytes plain(body.size() - 16);
    expect_that(open_once(fixed<32>(step, "encryption_key"), {}, body, plain), "body: under its key");
    Bytes built;
    Writer writer{built};
    for (const auto& frame : step.at("frames")) {
        const auto type = number<std::uint8_t>(frame, "type");
        const auto value = type == 1 ? to_bytes(content) : bytes(frame, "value");
        writer.u8(type);
        writer.u32(number<std::uint32_t>(frame, "length"));
        writer.raw(value);
    }
    built.resize(built.size() + number<std::uint32_t>(step, "padding"));
    expect_that(plain == built, "body: its frames and padding");
}

}  // namespace

void check_root_step(const Json& step, ByteView session_id) {
    Array<32> agreement;
    expect_that(
        detail::x25519(fixed<32>(step, "own_ratchet_secret"), fixed<32>(step, "peer_ratchet_key"), agreement),
        "agreement: not zero");
    expect(step, "agreement", agreement);
    Array<96> out;
    hkdf(bytes(step, "root_key"), {agreement, bytes(step, "epoch_secret")}, "Sotto/1/ratchet-root",
         {session_id, u32(number<std::uint32_t>(step, "epoch"))}, out);
    const ByteView view{out};
    expect(step, "next_root_key", view.first(32));
    expect(step, "chain_key", view.subspan(32, 32));
    expect(step, "next_header_key", view.last(32));
}

void check_sealed(const Json& step, ByteView session_id, ByteView content) {
    if (step.contains("sending_root_step")) {
        const auto& turn = step.at("sending_root_step");
        check_root_step(turn, session_id);
        expect(step, "chain_key", bytes(turn, "chain_key"));
    }
    expect(step, "hint_key", ByteView{mac(bytes(step, "header_key"), "Sotto/1/header-hint", {})}.first(16));
    const Step chain{bytes(step, "chain_key")};
    expect(step, "next_chain_key", chain.chain());
    expect(step, "message_key", chain.message());

    const auto envelope = bytes(step, "envelope");
    const ByteView whole{envelope};
    const auto prefix = whole.first(prefix_size(whole));
    const auto message = whole.subspan(prefix.size());
    const auto sealed_header = message.subspan(24, header_size_sealed);
    expect(step, "hint", message.subspan(16, 8));
    HeaderKey header_key;
    header_key.key.bytes = fixed<32>(step, "header_key");
    header_key.hint_key = fixed<16>(step, "hint_key");
    expect_that(hinted(header_key, must(Envelope::parse(envelope), "envelope")), "hint: SipHash of the salt");

    Array<64> keys;
    mac64(bytes(step, "message_key"), "Sotto/1/message", {message.first(16), session_id, sealed_header},
          keys);
    expect(step, "encryption_key", ByteView{keys}.first(32));
    expect(step, "commitment", ByteView{keys}.last(32));
    expect(step, "commitment", message.subspan(24 + header_size_sealed, 32));
    Bytes header(header_size_sealed - 16);
    expect_that(
        xopen(fixed<32>(step, "header_key"), FixedView<24>{message.first(24)}, prefix, sealed_header, header),
        "header: under its key");
    expect(step, "header", header);
    expect_that(Reader{ByteView{header}.subspan(37)}.u32() == number<std::uint32_t>(step, "n"),
                "n: the header's");
    check_body(step, message.subspan(24 + header_size_sealed + 32), content);
}

void check_opened(const Json& step, const Json& sealed, ByteView session_id) {
    if (step.contains("error")) return;
    expect(step, "message_key", bytes(sealed, "message_key"));
    const auto header = bytes(sealed, "header");
    Reader reader{ByteView{header}.subspan(33)};
    expect_that(reader.u32() == number<std::uint32_t>(step, "previous") &&
                    reader.u32() == number<std::uint32_t>(step, "n") &&
                    reader.u32() == number<std::uint32_t>(step, "epoch"),
                "the header's fields");
    if (step.contains("chain_key")) check_receiving_chain(step);
    if (!step.contains("receiving_root_step")) return;
    check_root_step(step.at("receiving_root_step"), session_id);
    expect(step, "chain_key", bytes(step.at("receiving_root_step"), "chain_key"));
}

}  // namespace sotto::vectors
