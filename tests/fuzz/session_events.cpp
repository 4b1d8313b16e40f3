// Two people and a network that does whatever the input says. Each byte is an event: the low four bits say
// which, the others on what. Whatever opens has to open to what was said; what was delivered has to open, as
// long as nobody was put back to an older copy.
#include <algorithm>
#include <optional>
#include <set>

#include "audit/people.hpp"
#include "targets.hpp"

namespace sotto::fuzz {
namespace {

using audit::Begun;
using audit::Conversation;
using audit::End;

constexpr std::size_t most_events = 400;

struct Letter {
    Bytes envelope;
    std::string words;
    bool read = false;
};

struct Queue {
    std::vector<Letter> letters;
    std::size_t outstanding = 0;  ///< sent and not read, the dropped ones too
};

class Machine {
  public:
    void event(unsigned byte) {
        const auto which = byte >> 4U;
        switch (byte & 0xfU) {
            case 0:
            case 1:
                return send(conversation_.alice, to_bob_, 1);
            case 2:
            case 3:
                return send(conversation_.bob, to_alice_, 1);
            case 4:
            case 5:
                return deliver(to_bob_, conversation_.bob, 0);
            case 6:
            case 7:
                return deliver(to_alice_, conversation_.alice, 0);
            case 8:
                return deliver(to_bob_, conversation_.bob, which);
            case 9:
                return deliver(to_alice_, conversation_.alice, which);
            case 10:
                return drop(to_bob_, which);
            case 11:
                return drop(to_alice_, which);
            case 12:
                return send(conversation_.alice, to_bob_, which * 4);
            case 13:
                snapshot_.emplace(conversation_.bob.copy(rng_));
                return;
            case 14:
                return restore();
            default:
                return corrupt(which);
        }
    }

  private:
    void send(End& from, Queue& queue, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            const auto words = std::to_string(++said_);
            queue.letters.push_back({from.seal(words), words});
            ++queue.outstanding;
        }
    }
    /// The letter stays: it may be delivered again.
    void deliver(Queue& queue, End& to, std::size_t which) {
        auto& letters = queue.letters;
        const auto next = std::ranges::find(letters, false, &Letter::read);
        if (letters.empty() || (which == 0 && next == letters.end())) return;
        auto& letter = which == 0 ? *next : letters[letters.size() - 1 - (which - 1) % letters.size()];
        const auto opened = to.open(letter.envelope);
        if (opened) promise(*opened == letter.words, "an envelope opens to what was said");
        if (!restored_) {
            // With so few outstanding, no limit on kept keys or chains can have been reached.
            promise(opened || letter.read || queue.outstanding >= crypto::max_kept_chains,
                    "what arrives is read");
            promise(!opened || !letter.read, "and only once");
        }
        promise(to.kept() <= crypto::max_kept_keys, "kept keys are bounded");
        if (opened && !letter.read) --queue.outstanding;
        letter.read = letter.read || opened.has_value();
    }
    static void drop(Queue& queue, std::size_t which) {
        auto& letters = queue.letters;
        if (which < letters.size()) letters.erase(letters.begin() + static_cast<std::ptrdiff_t>(which));
    }
    void restore() {
        if (!snapshot_) return;
        conversation_.bob = snapshot_->copy(rng_);
        restored_ = true;
    }
    void corrupt(std::size_t which) {
        if (to_bob_.letters.empty()) return;
        const auto& envelope = to_bob_.letters.back().envelope;
        const auto at = which * envelope.size() / 16;
        promise(conversation_.bob.refuses(audit::flipped(envelope, at)), "a changed envelope is refused");
    }

    crypto::SeededRng rng_{4};
    Conversation conversation_{rng_, Begun::answered};
    Queue to_bob_;
    Queue to_alice_;
    std::optional<End> snapshot_;
    std::uint64_t said_ = 0;
    bool restored_ = false;
};

}  // namespace

void feed_session_events(ByteView input) {
    Machine machine;
    for (const auto byte : input.first(std::min(input.size(), most_events)))
        machine.event(std::to_integer<unsigned>(byte));
}

std::vector<Bytes> session_event_seeds() {
    std::vector<Bytes> out;
    for (const std::initializer_list<unsigned> events :
         {std::initializer_list<unsigned>{0, 4, 2, 6, 0, 4, 2, 6, 0, 4, 2, 6},
          std::initializer_list<unsigned>{0, 0, 0, 0x18, 0x28, 0x38, 4, 2, 2, 6, 6, 0x19},
          std::initializer_list<unsigned>{0x5c, 0x0a, 0x0a, 4, 4, 4, 0x0f, 0x7f, 0xff, 2, 6},
          std::initializer_list<unsigned>{0, 4, 0x0d, 0, 4, 2, 6, 0x0e, 0x18, 0, 4, 2, 6}}) {
        Bytes seed;
        for (const auto event : events) seed.push_back(static_cast<std::byte>(event));
        out.push_back(std::move(seed));
    }
    return out;
}

}  // namespace sotto::fuzz
