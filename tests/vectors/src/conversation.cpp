#include "conversation.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

End begin_with(const Json& given, const char* who) {
    return {must(Session::parse(bytes(given.at("begin"), who)), who), {}};
}

const Json& sealed_message(const Json& steps, const Json& given, std::uint32_t message) {
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (given.at(i).at("do") == "seal" && count++ == message) return steps.at(i);
    throw Mismatch("message: not sealed yet");
}

/// The value of the one frame of this type.
Bytes frame_of(const Json& sealed, std::uint8_t type) {
    for (const auto& frame : sealed.at("frames"))
        if (number<std::uint8_t>(frame, "type") == type) return bytes(frame, "value");
    throw Mismatch("frames: none of the type that has an effect");
}

/// S, from the key in the message and the given m, or from the ciphertext in it and the seed of our own key.
void check_epoch_secret(const Json& given, const Json& step, const Json& sealed, const Bytes& seed) {
    if (!step.contains("kem_shared_secret")) return;
    if (given.contains("random") && given.at("random").contains("kem_m")) {
        const auto value = frame_of(sealed, 2);
        const auto key = must(KemPublicKey::decode(ByteView{value}.subspan(4)), "the key");
        Draws draws{{{"random", {{"kem_m", text(given.at("random"), "kem_m")}}}}, nullptr};
        expect(step, "kem_shared_secret", must(key.encapsulate(draws), "kem_m").shared.expose());
        return;
    }
    const auto value = frame_of(sealed, 3);
    expect_that(seed.size() == KemSeed::size, "kem_seed: nothing was offered");
    const KemKeyPair pair{KemSeed{FixedView<KemSeed::size>{seed}}};
    const FixedView<kem_ciphertext_size> ciphertext{ByteView{value}.last(kem_ciphertext_size)};
    expect(step, "kem_shared_secret", must(pair.decapsulate(ciphertext), "the ciphertext").expose());
}

}  // namespace

Json seals(const char* by, const char* content, std::uint32_t later_ms) {
    Json step{{"do", "seal"}, {"by", by}, {"content", content}};
    if (later_ms > 0) step["later_ms"] = later_ms;
    return step;
}

Json opens(const char* by, std::uint32_t message) {
    return {{"do", "open"}, {"by", by}, {"message", message}};
}

Json refuses(const char* by, std::uint32_t message, std::size_t at, const char* with) {
    auto step = opens(by, message);
    step["change"] = {{"at", at}, {"with", with}};
    return step;
}

Json play(Json& given, const World& world) {
    End alice = begin_with(given, "alice");
    End bob = begin_with(given, "bob");
    auto now_ms = static_cast<std::int64_t>(number_up_to(1ULL << 50U, given, "now_ms"));
    Json steps = Json::array();
    for (auto& step : given.at("steps")) {
        const auto by = text(step, "by");
        expect_that(by == "alice" || by == "bob", "by");
        End& end = by == "alice" ? alice : bob;
        if (step.contains("later_ms")) now_ms += number<std::uint32_t>(step, "later_ms");
        if (text(step, "do") == "seal") {
            steps.push_back(seal_step(end, step, bytes_of(text(step, "content")), now_ms, world.fresh()));
            continue;
        }
        expect_that(text(step, "do") == "open", "do");
        auto envelope = bytes(
            sealed_message(steps, given.at("steps"), number<std::uint32_t>(step, "message")), "envelope");
        if (step.contains("change")) envelope = changed(envelope, step.at("change"));
        steps.push_back(open_step(end, step, envelope, now_ms, world.fresh()));
    }
    return {{"session_id", hex(alice.session.id())},
            {"steps", std::move(steps)},
            {"end", {{"alice", alice.record()}, {"bob", bob.record()}}}};
}

void check_conversation(const Json& given, const Json& derived) {
    const auto id = bytes(derived, "session_id");
    const auto& steps = given.at("steps");
    expect_that(steps.size() == derived.at("steps").size(), "steps: as many as there are");
    std::map<std::string, Bytes> seeds;  // of the key that each has offered last
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto& one = steps.at(i);
        const auto& step = derived.at("steps").at(i);
        const auto by = text(one, "by");
        if (text(one, "do") == "seal") {
            check_sealed(step, id, bytes_of(text(one, "content")));
            if (one.at("random").contains("kem_seed")) seeds[by] = bytes(one.at("random"), "kem_seed");
            continue;
        }
        const auto& sealed =
            sealed_message(derived.at("steps"), steps, number<std::uint32_t>(one, "message"));
        check_opened(step, sealed, id);
        check_epoch_secret(one, step, sealed, seeds[by]);
    }
}

}  // namespace sotto::vectors
