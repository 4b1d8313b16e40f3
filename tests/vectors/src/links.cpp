// Links: how they are read, how they are written, which are refused. docs/protocol.md section 12.1.
#include "sotto/protocol/link.hpp"

#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace protocol;  // NOLINT(google-build-using-namespace): nearly every name here is of there

std::string filled(unsigned value) {
    return crypto::to_base64url(Bytes(32, static_cast<std::byte>(value)));
}

void add_server_links(Json& cases) {
    const auto pin = filled(1);
    const auto add = [&](const char* name, const std::string& link) {
        cases.push_back(new_case(name, {{"kind", "server"}, {"link", link}}));
    };
    add("a server by its pin", "sotto://chat.example:9000/#" + pin);
    add("no port, no pin, no slash", "sotto://chat.example");
    add("upper case in the host", "sotto://CHAT.example:7443/");
    add("IPv4", "sotto://127.0.0.1:65535/");
    add("IPv6", "sotto://[2001:DB8:0:0::1]:1/#" + pin);
    add("the scheme in upper case", "SOTTO://chat.example/");
    add("another scheme", "https://chat.example/");
    add("no host", "sotto:///");
    add("port 0", "sotto://chat.example:0/");
    add("port 65536", "sotto://chat.example:65536/");
    add("a port with a zero in front", "sotto://chat.example:07443/");
    add("an empty port", "sotto://chat.example:/");
    add("a label that begins with a hyphen", "sotto://-chat.example/");
    add("an empty label", "sotto://chat..example/");
    add("an IPv6 zone", "sotto://[fe80::1%25eth0]/");
    add("a user", "sotto://alice@chat.example/");
    add("a query", "sotto://chat.example/?a=b");
    add("a pin of 42 characters", "sotto://chat.example/#" + pin.substr(1));
    add("a pin with unused bits", "sotto://chat.example/#" + pin.substr(0, 42) + "F");
    add("a pin with padding", "sotto://chat.example/#" + pin + "=");
    add("a pin in plain base64", "sotto://chat.example/#" + pin.substr(0, 42) + "+");
    add("a space at the end", "sotto://chat.example/ ");
    add("1,025 bytes", "sotto://" + std::string(1025 - 8, 'a'));
}

void add_contact_links(Json& cases) {
    const auto secrets = filled(1) + "." + filled(2) + "." + filled(3);
    const auto unpinned = "." + filled(2) + "." + filled(3);
    const auto add = [&](const char* name, const std::string& link) {
        cases.push_back(new_case(name, {{"kind", "contact"}, {"link", link}}));
    };
    add("a contact", "sotto://chat.example:7443/alice@chat.example#" + secrets);
    add("a contact at a Web-PKI server", "sotto://chat.example/alice@chat.example#" + unpinned);
    add("a server that moved", "sotto://203.0.113.9:443/a.b-c_d@[2001:db8::7]#" + secrets);
    add("no address", "sotto://chat.example/#" + secrets);
    add("an address that isn't canonical", "sotto://chat.example/Alice@chat.example#" + secrets);
    add("an address with a port", "sotto://chat.example/alice@chat.example:7443#" + secrets);
    add("no secret", "sotto://chat.example/alice@chat.example#" + filled(1));
    add("an empty secret", "sotto://chat.example/alice@chat.example#" + filled(1) + ".." + filled(3));
    add("four parts", "sotto://chat.example/alice@chat.example#" + secrets + "." + filled(4));
    add("a part too short",
        "sotto://chat.example/alice@chat.example#" + secrets.substr(0, secrets.size() - 1));
    add("a path below the address", "sotto://chat.example/alice@chat.example/x#" + secrets);
}

Json link_cases(const World& /*world*/) {
    auto cases = Json::array();
    add_server_links(cases);
    add_contact_links(cases);
    return cases;
}

Json refused(const std::string& link) {
    return {{"refused", true}, {"sha256", digest(bytes_of(link))}};
}

Json reading(const Endpoint& endpoint) {
    return {{"host", endpoint.host},
            {"port", endpoint.port},
            {"pin", endpoint.pin ? Json(hex(*endpoint.pin)) : Json()}};
}

Json derive_link(Json& given, const World& /*world*/) {
    const auto link = text(given, "link");
    const auto kind = text(given, "kind");
    expect_that(kind == "server" || kind == "contact", "kind");
    if (kind == "server") {
        const auto endpoint = parse_server_link(link);
        if (!endpoint) return refused(link);
        auto out = reading(*endpoint);
        out["written"] = format_server_link(*endpoint);
        expect_that(parse_server_link(text(out, "written")) == *endpoint, "written: says the same");
        return out;
    }
    const auto contact = parse_contact_link(link);
    if (!contact) return refused(link);
    auto out = reading(contact->endpoint);
    out["address"] = contact->address.text();
    out["secret"] = hex(contact->secret.expose());
    out["fingerprint"] = hex(contact->fingerprint);
    out["written"] = format_contact_link(*contact);
    const auto again = parse_contact_link(text(out, "written"));
    expect_that(again && again->endpoint == contact->endpoint && again->address == contact->address &&
                    hex(again->secret.expose()) == text(out, "secret") &&
                    again->fingerprint == contact->fingerprint,
                "written: says the same");
    return out;
}

/// What was written holds the values in the form that they have there.
void check_link(const Json& /*given*/, const Json& derived, const World& /*world*/) {
    if (derived.contains("refused")) return;
    const auto written = text(derived, "written");
    expect_that(written.starts_with("sotto://") &&
                    written.find(":" + std::to_string(number<std::uint16_t>(derived, "port")) + "/") !=
                        std::string::npos,
                "written: names the port");
    for (const auto* const field : {"pin", "secret", "fingerprint"}) {
        if (!derived.contains(field) || derived.at(field).is_null()) continue;
        const auto part = crypto::to_base64url(bytes(derived, field));
        expect_that(written.find(part) != std::string::npos, std::string{field} + ": stands in the link");
    }
}

}  // namespace

const Kind link_kind{
    "links.json",
    "Links of servers and contacts (section 12.1): what they say and how they are written, or "
    "that they are refused.",
    link_cases, derive_link, check_link};

}  // namespace sotto::vectors
