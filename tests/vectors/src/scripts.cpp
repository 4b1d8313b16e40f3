// What Alice and Bob say to each other in epochs.json and ratchet.json. docs/protocol.md section 7.
#include "conversation.hpp"

namespace sotto::vectors {
namespace {

constexpr std::int64_t evening = 20000LL * 86'400'000 + 72'000'000;

/// The conversation goes on from the records with which another file's first case ends.
Json follow(const World& world, const char* file, std::int64_t now_ms) {
    return {{"begin", world.file(file).at("cases").at(0).at("derived").at("end")}, {"now_ms", now_ms}};
}

void check_follows(const Json& given, const Json& derived, const World& world, const char* file) {
    expect_same(given.at("begin"), world.file(file).at("cases").at(0).at("derived").at("end"), "begin");
    check_conversation(given, derived);
}

Json epoch_cases(const World& world) {
    auto given = follow(world, "handshake.json", evening);
    given["steps"] = Json::array({
        seals("alice", "again, the handshake part with it"),  // 0
        opens("bob", 0),                                      //
        seals("bob", "hello Alice"),                          // 1
        opens("alice", 1),                                    //
        seals("alice", "the key for epoch 1"),                // 2
        seals("alice", "the same key once more"),             // 3
        seals("alice", "a third one without it"),             // 4
        opens("bob", 3),                                      // answers
        opens("bob", 2),                                      // late: the same key changes nothing
        seals("bob", "the ciphertext, lost on its way"),      // 5
        seals("bob", "the ciphertext again"),                 // 6
        opens("alice", 6),                                    // decapsulates, enters epoch 1
        seals("alice", "the first message of epoch 1"),       // 7
        opens("bob", 7),                                      // follows
        opens("bob", 4),                                      // late, of a remembered chain of epoch 0
        seals("bob", "an hour later: the key for epoch 2", 3'600'000),  // 8
        opens("alice", 5),                                              // late: a ciphertext without effect
        opens("alice", 8),                                              // answers
        seals("alice", "its ciphertext"),                               // 9
        opens("bob", 9),                                                // enters epoch 2
        seals("bob", "the first message of epoch 2"),                   // 10
        opens("alice", 10),                                             // follows
    });
    return Json::array({new_case("from the handshake into epoch 2", std::move(given))});
}

Json ratchet_cases(const World& world) {
    auto given = follow(world, "epochs.json", evening + 3'700'000);
    given["steps"] = Json::array({
        seals("alice", "one"),           // 0
        seals("alice", "two"),           // 1
        seals("alice", "three"),         // 2
        seals("alice", "four"),          // 3
        opens("bob", 2),                 // a next chain, two keys kept
        opens("bob", 2),                 // a duplicate
        opens("bob", 0),                 // late
        opens("bob", 0),                 // a duplicate
        seals("bob", "five"),            // 4
        seals("bob", ""),                // 5: no content at all
        opens("alice", 5),               // a next chain, one key kept
        refuses("alice", 4, 0, "11"),    // type byte
        refuses("alice", 4, 1, "00"),    // salt
        refuses("alice", 4, 17, "00"),   // hint
        refuses("alice", 4, 25, "00"),   // header
        refuses("alice", 4, 85, "00"),   // the header's tag
        refuses("alice", 4, 86, "00"),   // commitment
        refuses("alice", 4, 118, "00"),  // body
        refuses("alice", 4, 159, "00"),  // the body's tag
        opens("alice", 4),               // none of it did any harm
        seals("alice", "six"),           // 6
        seals("alice", "seven"),         // 7
        opens("bob", 7),                 // a next chain: the rest of the old one and one of the new are kept
        opens("bob", 1),                 // late, of a remembered chain
        opens("bob", 1),                 // a duplicate
        seals("bob",
              "eight, over the first step of the padding: a message of more than 160 bytes in all"),  // 8
        opens("alice", 8),                                                                            //
        opens("bob", 3),  // the last of the remembered chain
        opens("bob", 3),  // a duplicate still
    });
    return Json::array({new_case("out of order, late, twice, and altered", std::move(given))});
}

Json derive_conversation(Json& given, const World& world) {
    return play(given, world);
}

void check_epochs(const Json& given, const Json& derived, const World& world) {
    check_follows(given, derived, world, "handshake.json");
}

void check_ratchet(const Json& given, const Json& derived, const World& world) {
    check_follows(given, derived, world, "epochs.json");
}

}  // namespace

const Kind epoch_kind{"epochs.json",
                      "The session of handshake.json's first case goes on through two post-quantum epochs "
                      "(section 7.5). given.steps and derived.steps belong together one by one.",
                      epoch_cases, derive_conversation, check_epochs};
const Kind ratchet_kind{"ratchet.json",
                        "The session of epochs.json goes on: several turns, skipped, late, repeated and "
                        "altered messages (sections 7 and 8).",
                        ratchet_cases, derive_conversation, check_ratchet};

}  // namespace sotto::vectors
