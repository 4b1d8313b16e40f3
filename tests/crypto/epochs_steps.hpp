// Steps of a conversation, seen by what its epochs do.
#pragma once

#include "epochs.hpp"
#include "forge.hpp"

namespace sotto::crypto::test {

inline constexpr std::int64_t hour = 3'600'000;

/// Numbers, from 1, of those of the next `count` messages that carry a frame.
inline std::vector<int> carrying(End& from, int count, bool (*carries)(const Sent&)) {
    std::vector<int> out;
    for (int i = 1; i <= count; ++i)
        if (carries(send(from))) out.push_back(i);
    return out;
}
inline std::vector<int> keys_among(End& from, int count) {
    return carrying(from, count, carries_key);
}
inline std::vector<int> ciphertexts_among(End& from, int count) {
    return carrying(from, count, carries_ciphertext);
}

inline void pass(End& from, End& to) {
    ASSERT_TRUE(to.open(from.seal("x")).has_value());
}

inline EpochStage stage(const End& end) {
    const auto record = end.session().serialize();
    return static_cast<EpochStage>(record[offset::epochs(record) + offset::epochs_stage]);
}

/// In a Conversation: until Bob's next message offers the key of epoch 2.
inline void make_due(Conversation& c) {
    c.bob_end.now += hour;
}

}  // namespace sotto::crypto::test
