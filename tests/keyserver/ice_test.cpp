// What a client is told of STUN and TURN servers: who is, and what with.
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

[[nodiscard]] wire::Request get_ice() {
    wire::Request request;
    request.mutable_get_ice_servers();
    return request;
}

[[nodiscard]] Policy offering() {
    IceOffer offer;
    offer.servers = {{.kind = IceServer::Kind::stun, .host = "turn.example", .port = 3478},
                     {.kind = IceServer::Kind::turn_udp, .host = "turn.example", .port = 3478},
                     {.kind = IceServer::Kind::turn_tcp, .host = "192.0.2.1", .port = 443}};
    offer.lifetime_s = 3600;
    offer.password = [](std::string_view username) { return "for " + std::string{username}; };
    return {.server_name = "chat.example",
            .registration = Registration::open,
            .unbound = false,
            .ice = std::make_shared<const IceOffer>(std::move(offer))};
}

TEST(IceServers, WhoIsLoggedInIsToldOfThem) {
    Rig rig{offering()};
    const TestDevice alice{"alice"};
    const auto peer = rig.registered(alice);
    const auto reply = peer->ask(get_ice());
    ASSERT_TRUE(reply.has_ice_servers());
    const auto& servers = reply.ice_servers().servers();
    ASSERT_EQ(servers.size(), 3);
    EXPECT_EQ(reply.ice_servers().lifetime_s(), 3600U);
    EXPECT_EQ(servers[0].kind(), wire::ICE_SERVER_KIND_STUN);
    EXPECT_TRUE(servers[0].username().empty() && servers[0].password().empty()) << "STUN asks nobody";
    EXPECT_EQ(servers[1].kind(), wire::ICE_SERVER_KIND_TURN_UDP);
    EXPECT_EQ(servers[1].host(), "turn.example");
    EXPECT_EQ(servers[2].kind(), wire::ICE_SERVER_KIND_TURN_TCP);
    EXPECT_EQ(servers[2].port(), 443U);
    for (const auto& server : {servers[1], servers[2]}) {
        EXPECT_EQ(server.password(), "for " + server.username());
        EXPECT_EQ(server.username().find("alice"), std::string::npos) << "the TURN server learns no names";
        EXPECT_EQ(std::stoull(server.username()), rig.clock.unix_ms() / 1000 + 3600) << "and when it ends";
    }
}

TEST(IceServers, EachTimeAnotherName) {
    Rig rig{offering()};
    const TestDevice alice{"alice"};
    const auto peer = rig.registered(alice);
    const auto first = peer->ask(get_ice()).ice_servers().servers(1).username();
    EXPECT_NE(peer->ask(get_ice()).ice_servers().servers(1).username(), first);
}

TEST(IceServers, WithoutAnyTheAnswerIsEmpty) {
    Rig rig;
    const TestDevice alice{"alice"};
    const auto peer = rig.registered(alice);
    const auto reply = peer->ask(get_ice());
    ASSERT_TRUE(reply.has_ice_servers());
    EXPECT_TRUE(reply.ice_servers().servers().empty());
}

TEST(IceServers, StrangersAreToldNothing) {
    Rig rig{offering()};
    for (const auto purpose : {Purpose::identified, Purpose::delivery, Purpose::presence})
        EXPECT_EQ(rig.connect(purpose)->ask(get_ice()).failure().code(), wire::FAILURE_NOT_LOGGED_IN);
}

}  // namespace
}  // namespace sotto::keyserver::test
