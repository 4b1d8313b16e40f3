// Frames out of shape: refused in bounded time, never a crash.
#include "keyserver/core/strict.hpp"
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

wire::Request every_field_of(wire::Request::BodyCase kind) {
    wire::Request request;
    request.set_id(7);
    const auto credential = [](wire::Credential& c) {
        c.set_token(token("t"));
        c.set_claim(claim("c"));
    };
    switch (kind) {
        case wire::Request::kRegister:
            request.mutable_register_()->set_record("r");
            request.mutable_register_()->set_device(1);
            request.mutable_register_()->set_proof("p");
            request.mutable_register_()->set_invite("i");
            break;
        case wire::Request::kLogin:
            request.mutable_login()->set_user("u");
            request.mutable_login()->set_device(1);
            request.mutable_login()->set_proof("p");
            break;
        case wire::Request::kPublishRecord:
            request.mutable_publish_record()->set_record("r");
            break;
        case wire::Request::kPublishPrekeys:
            request.mutable_publish_prekeys()->set_signed_prekey("s");
            request.mutable_publish_prekeys()->set_last_resort("l");
            request.mutable_publish_prekeys()->set_replace(true);
            for (int i = 0; i < 2; ++i) {
                request.mutable_publish_prekeys()->add_one_time("o");
                request.mutable_publish_prekeys()->add_one_time_kem("k");
            }
            break;
        case wire::Request::kGetIceServers:
            request.mutable_get_ice_servers();
            break;
        case wire::Request::kSetTokens:
            request.mutable_set_tokens()->set_discoverable(true);
            for (int i = 0; i < 2; ++i) {
                auto& entry = *request.mutable_set_tokens()->add_tokens();
                entry.set_hash("h");
                entry.set_kind(wire::TOKEN_KIND_INVITE);
                entry.set_expires(5);
            }
            break;
        case wire::Request::kAcknowledge:
            for (int i = 0; i < 2; ++i) request.mutable_acknowledge()->add_envelope_ids("e");
            break;
        case wire::Request::kReportGeneration:
            request.mutable_report_generation()->set_generation(5);
            break;
        case wire::Request::kPublishPresence:
            for (int i = 0; i < 2; ++i) {
                auto& post = *request.mutable_publish_presence()->add_posts();
                post.set_topic("t");
                post.set_write_key("w");
                post.set_blob("b");
            }
            break;
        case wire::Request::kWithdrawPresence:
            for (int i = 0; i < 2; ++i) request.mutable_withdraw_presence()->add_topics("t");
            break;
        case wire::Request::kWatchPresence:
            for (int i = 0; i < 2; ++i) request.mutable_watch_presence()->add_topics("t");
            break;
        case wire::Request::kUnwatchPresence:
            for (int i = 0; i < 2; ++i) request.mutable_unwatch_presence()->add_topics("t");
            break;
        case wire::Request::kFetchRecords:
            request.mutable_fetch_records()->set_user("u");
            request.mutable_fetch_records()->set_from_sequence(5);
            credential(*request.mutable_fetch_records()->mutable_credential());
            break;
        case wire::Request::kFetchPrekeys:
            request.mutable_fetch_prekeys()->set_user("u");
            request.mutable_fetch_prekeys()->set_device(5);
            credential(*request.mutable_fetch_prekeys()->mutable_credential());
            break;
        case wire::Request::kDeliver:
            request = deliver_request("u", 1, "id", "envelope", "t", "c");
            request.set_id(7);
            break;
        case wire::Request::kPing:
        case wire::Request::BODY_NOT_SET:
            request.mutable_ping();
            break;
    }
    return request;
}

constexpr std::array kinds{wire::Request::kRegister,         wire::Request::kLogin,
                           wire::Request::kPublishRecord,    wire::Request::kPublishPrekeys,
                           wire::Request::kSetTokens,        wire::Request::kAcknowledge,
                           wire::Request::kReportGeneration, wire::Request::kGetIceServers,
                           wire::Request::kFetchRecords,     wire::Request::kFetchPrekeys,
                           wire::Request::kDeliver,          wire::Request::kPing,
                           wire::Request::kPublishPresence,  wire::Request::kWithdrawPresence,
                           wire::Request::kWatchPresence,    wire::Request::kUnwatchPresence};

[[nodiscard]] bool is_request(ByteView frame) {
    google::protobuf::Arena memory;
    return parse_request(frame, memory) != nullptr;
}

TEST(Frames, WithEveryFieldOfTheSchemaAreRead) {
    for (const auto kind : kinds) {
        const auto frame = every_field_of(kind).SerializeAsString();
        google::protobuf::Arena memory;
        const auto* const parsed = parse_request(bytes_of(frame), memory);
        ASSERT_NE(parsed, nullptr) << kind;
        EXPECT_EQ(parsed->SerializeAsString(), frame);
    }
}

TEST(Frames, WithAnUnknownFieldAreRefusedOnEveryLevel) {
    const std::string unknown = "\xf8\x07\x01";  // field 127, a number
    for (const auto kind : kinds) {
        const auto frame = every_field_of(kind).SerializeAsString();
        EXPECT_FALSE(is_request(bytes_of(frame + unknown))) << kind;
        // Into the body: its tag is one or two bytes behind the id, its length follows.
        wire::Request plain = every_field_of(kind);
        const auto id_size = std::size_t{2};
        auto inner = frame.substr(id_size);
        const std::size_t tag = static_cast<unsigned char>(inner.front()) & 0x80U ? 2 : 1;
        ASSERT_LT(static_cast<unsigned char>(inner.at(tag)), 0x80U);
        ASSERT_LT(static_cast<unsigned char>(inner.at(tag)) + unknown.size(), 0x80U);
        inner.at(tag) = static_cast<char>(inner.at(tag) + static_cast<char>(unknown.size()));
        auto changed = frame.substr(0, id_size);
        changed.append(inner).append(unknown);
        EXPECT_FALSE(is_request(bytes_of(changed))) << kind;
    }
}

TEST(Frames, WithAFieldTwiceOrTwoBodiesOrWithoutIdOrBodyAreRefused) {
    const auto ping = every_field_of(wire::Request::kPing).SerializeAsString();
    const auto login = every_field_of(wire::Request::kLogin).SerializeAsString();
    EXPECT_FALSE(is_request(bytes_of(ping + ping)));
    EXPECT_FALSE(is_request(bytes_of(login + ping.substr(2))));
    EXPECT_FALSE(is_request(bytes_of(ping.substr(2))));
    EXPECT_FALSE(is_request(bytes_of(ping.substr(0, 2))));
    EXPECT_FALSE(is_request({}));
}

TEST(Frames, WithTextThatIsNoUtf8AreRefused) {
    auto login = every_field_of(wire::Request::kLogin).SerializeAsString();
    ASSERT_TRUE(is_request(bytes_of(login)));
    login.at(login.find('u')) = '\xff';
    EXPECT_FALSE(is_request(bytes_of(login)));
}

TEST(Frames, CutAnywhereOrChangedAnywhereNeverCrash) {
    for (const auto kind : kinds) {
        const auto frame = every_field_of(kind).SerializeAsString();
        for (std::size_t cut = 0; cut < frame.size(); ++cut)
            EXPECT_FALSE(is_request(bytes_of(frame.substr(0, cut))));
        for (std::size_t at = 0; at < frame.size(); ++at)
            for (int bit = 0; bit < 8; ++bit) {
                auto changed = frame;
                changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
                static_cast<void>(is_request(bytes_of(changed)));
            }
    }
}

TEST(Frames, OfRandomBytesCloseTheConnectionWithAnAnswer) {
    Rig rig;
    crypto::SeededRng rng{7};
    for (int i = 0; i < 500; ++i) {
        const auto peer = rig.connect(i % 2 == 0 ? Purpose::identified : Purpose::delivery);
        Bytes noise(1 + rng.below(300));
        rng.fill(noise);
        if (is_request(noise)) continue;
        peer->send_raw(chars_of(noise));
        ASSERT_TRUE(peer->reply(0));
        EXPECT_EQ(code_of(*peer->reply(0)), wire::FAILURE_MALFORMED);
        EXPECT_TRUE(peer->closed());
        peer->hang_up();
    }
}

TEST(Frames, OfPresenceAreWhatProtobufWouldWrite) {
    // Lengths on both sides of where they take another byte, and nothing under a topic.
    const std::vector<std::size_t> sizes{0, 1, 52, 107, 108, 109, 110, 127, 128, 180, 256};
    wire::Reply all;
    PresencesFrame frame;
    EXPECT_TRUE(frame.empty());
    for (const auto size : sizes) {
        const std::string topic(protocol::topic_size, 't');
        const std::string blob(size, 'b');
        wire::Reply one;
        for (auto* const reply : {&one, &all}) {
            auto& presence = *reply->mutable_presences()->add_presences();
            presence.set_topic(topic);
            presence.set_blob(blob);
        }
        EXPECT_EQ(presence_frame(bytes_of(topic), bytes_of(blob)), one.SerializeAsString()) << size;
        frame.add(bytes_of(topic), bytes_of(blob));
    }
    EXPECT_FALSE(frame.empty());
    EXPECT_EQ(frame.finish(), all.SerializeAsString());
}

TEST(Frames, MayBeLargeOnlyFromWhoeverNeedsThat) {
    Rig rig;
    const auto fresh = rig.connect(Purpose::identified);
    EXPECT_EQ(fresh->session().frame_limit(), limits::frame_before_login);
    const auto delivery = rig.connect(Purpose::delivery);
    EXPECT_EQ(delivery->session().frame_limit(), limits::frame_delivery);
    const auto known = rig.registered(TestDevice{"alice"});
    EXPECT_EQ(known->session().frame_limit(), protocol::max_frame_size);
}

}  // namespace
}  // namespace sotto::keyserver::test
