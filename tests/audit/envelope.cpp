// What stands on the wire.
#include <cmath>
#include <set>

#include "groups.hpp"
#include "people.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

void every_flipped_bit(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto envelope = c.alice.seal("the words");
    for (std::size_t bit = 0; bit < envelope.size() * 8; ++bit)
        check.expect(c.bob.refuses(flipped(envelope, bit / 8, bit % 8)), "bit " + std::to_string(bit));
    check.expect(c.bob.hears(envelope, "the words"), "afterwards the real one opens");
}

void every_length(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto envelope = c.alice.seal("the words");
    for (std::size_t size = 0; size < envelope.size(); ++size)
        check.expect(c.bob.refuses(ByteView{envelope}.first(size)), "cut to " + std::to_string(size));
    for (std::size_t more = 1; more <= 320; ++more)
        check.expect(c.bob.refuses(joined(envelope, repeated(more, 0))), "longer by " + std::to_string(more));
    check.expect(c.bob.hears(envelope, "the words"), "the whole one opens");
}

void mixed_pieces(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const std::array<Bytes, 2> two{c.alice.seal("one"), c.alice.seal("two")};
    // Every way to take salt and hint, header, commitment and body from one of the two.
    constexpr std::array<std::size_t, 5> bounds{1, 25, 86, 118, 160};
    for (unsigned mask = 1; mask < 15; ++mask) {
        auto mixed = two[0];
        for (std::size_t piece = 0; piece < 4; ++piece)
            if ((mask >> piece & 1U) != 0)
                std::copy(two[1].begin() + static_cast<std::ptrdiff_t>(bounds.at(piece)),
                          two[1].begin() + static_cast<std::ptrdiff_t>(bounds.at(piece + 1)),
                          mixed.begin() + static_cast<std::ptrdiff_t>(bounds.at(piece)));
        check.expect(c.bob.refuses(mixed), "pieces of two messages");
    }
    check.expect(c.bob.hears(two[0], "one") && c.bob.hears(two[1], "two"), "each for itself opens");
}

/// Padmé as its paper defines it, with real logarithms.
std::size_t padme(std::size_t size) {
    const auto e = static_cast<unsigned>(std::floor(std::log2(static_cast<double>(size))));
    const auto s = static_cast<unsigned>(std::floor(std::log2(static_cast<double>(e)))) + 1;
    const auto step = std::size_t{1} << (e - s);
    return (size + step - 1) / step * step;
}

void padding_classes(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    std::set<std::size_t> classes;
    std::vector<double> sizes;
    double most = 0;
    for (std::size_t length = 0; length <= max_content_size; length += length < 4096 ? 13 : 997) {
        const Bytes content(length, std::byte{0x61});
        const auto size = c.alice.seal(ByteView{content}).size();
        const auto bare = envelope_overhead + 5 + length;
        const auto wanted = bare <= 960 ? (bare + 159) / 160 * 160 : padme(bare);
        check.expect(size == wanted, "content of " + std::to_string(length) + " bytes");
        check.expect(size == padded_size(bare), "and as padded_size says");
        classes.insert(size);
        if (length <= 2600) sizes.push_back(static_cast<double>(size));
        if (bare > 960) most = std::max(most, static_cast<double>(size) / static_cast<double>(bare) - 1);
    }
    check.series("envelope-sizes", std::move(sizes));
    check.note(std::to_string(classes.size()) + " sizes for contents of 0 to " +
               std::to_string(max_content_size) + " bytes, at most " +
               std::to_string(static_cast<int>(std::lround(most * 1000)) / 10) + " % over 960 bytes");
}

void limits(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto session = c.alice.session().clone();
    check.expect(session.seal(Bytes(max_content_size), now_ms, rng).has_value(), "the largest content");
    const auto larger = session.seal(Bytes(max_content_size + 1), now_ms, rng);
    check.expect(!larger && larger.error() == Error::too_large, "one byte more");
    check.expect(!Envelope::parse(Bytes(max_envelope_size + 1, std::byte{envelope_message})),
                 "an envelope over the limit");
    check.expect(!Envelope::parse(Bytes(min_envelope_size - 1, std::byte{envelope_message})),
                 "an envelope under the limit");
    for (unsigned type = 0; type < 256; ++type)
        if (type != envelope_handshake && type != envelope_message)
            check.expect(!Envelope::parse(Bytes(320, static_cast<std::byte>(type))), "another type byte");
}

void nothing_repeats(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    // The very same state seals the very same words again and again: a snapshot that was put back.
    const auto session = c.alice.session().clone();
    std::set<std::string> blocks;
    std::size_t looked_at = 0;
    for (int i = 0; i < 200; ++i) {
        const auto sealed = must(session.seal(bytes_of("the same words"), now_ms, rng), "sealing");
        const auto text = chars_of(sealed.envelope).substr(1);
        for (std::size_t at = 0; at + 8 <= text.size(); at += 8, ++looked_at)
            check.expect(blocks.insert(std::string{text.substr(at, 8)}).second, "eight bytes are repeated");
    }
    check.note(std::to_string(looked_at) + " blocks of 8 bytes, none twice");
}

void nobodys_bytes(Check& check) {
    // A stranger without keys sees a type byte and noise: a chi-square test over a million bits each.
    SystemRng rng;
    Conversation c{rng};
    for (End* const from : {&c.alice, &c.bob}) {
        std::array<double, 256> histogram{};
        double total = 0;
        for (int i = 0; i < 900; ++i) {
            const auto envelope = from->seal("x");
            for (const auto byte : ByteView{envelope}.subspan(1)) {
                ++histogram.at(std::to_integer<std::size_t>(byte));
                ++total;
            }
        }
        double chi_square = 0;
        for (const double count : histogram)
            chi_square += (count - total / 256) * (count - total / 256) / (total / 256);
        // 255 degrees of freedom: mean 255, deviation 22.6; eight of these on each side.
        check.expect(chi_square > 74 && chi_square < 436, "bytes that look random");
        check.note("chi-square " + std::to_string(static_cast<int>(chi_square)));
    }
}

void strangers_bytes(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    Conversation d{rng};
    for (int i = 0; i < 200; ++i) {
        auto garbage = Bytes(160 + rng.below(1000));
        rng.fill(garbage);
        garbage[0] = std::byte{envelope_message};
        check.expect(c.bob.refuses(garbage, Error::cannot_open), "random bytes");
        check.expect(c.bob.refuses(d.alice.seal("not for you")), "another conversation's message");
    }
    check.expect(c.alice.refuses(c.alice.seal("mine")), "one's own message sent back");
}

constexpr std::array checks{
    Definition{"Every changed bit is refused and changes nothing", "docs/protocol.md section 8",
               every_flipped_bit, "Envelope.EveryChangedByteIsRefused"},
    Definition{"Every shorter or longer envelope is refused", "docs/protocol.md section 8", every_length,
               "Envelope.EveryShorterOrLongerOneIsRefused"},
    Definition{"Pieces of two messages do not mix", "docs/protocol.md section 8", mixed_pieces,
               "Envelope.PiecesOfTwoMessagesDoNotMix"},
    Definition{"Sizes tell the step alone: multiples of 160, then Padmé",
               "docs/protocol.md section 8; Nikitin et al. 2019", padding_classes,
               "Envelope.SizesTellOnlyTheStep"},
    Definition{"Limits at the limit and one past it", "docs/protocol.md section 8", limits},
    Definition{"One state that seals one text many times repeats nothing", "docs/protocol.md section 8",
               nothing_repeats},
    Definition{"To a stranger two senders look alike: noise", "chi-square over all bytes but the first",
               nobodys_bytes, "Envelope.SizesTellOnlyTheStep"},
    Definition{"Strangers' bytes and other conversations' messages are refused", "docs/protocol.md section 7",
               strangers_bytes},
};

}  // namespace

std::span<const Definition> envelope_checks() {
    return checks;
}

}  // namespace sotto::audit
