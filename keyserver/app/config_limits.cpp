// The settings that bound what clients do: one line of the table each.
#include <array>
#include <cmath>

#include "keyserver/app/config.hpp"

namespace sotto::keyserver {
namespace {

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr double second = 1000;  // of milliseconds
constexpr double per_hour = 1.0 / 3600;

constexpr std::int64_t many = 1'000'000;

const auto& table() {
    static const std::array settings{
        LimitSetting{
            "mailbox_envelopes",
            "What may wait for one device: envelopes, MiB, and for how many days. A full mailbox is an\n"
            "error to whoever sends; what is older is removed.",
            &Limits::mailbox_envelopes, 1, 1, many},
        LimitSetting{"mailbox_mib", "", &Limits::mailbox_bytes, mib, 1, many},
        LimitSetting{"mailbox_days", "", &Limits::mailbox_days, 1, 1, 3650},
        LimitSetting{"registration_tries", "Names that are taken already which one invite may ask for.",
                     &Limits::registration_tries, 1, 1, 1000},
        LimitSetting{"request_box_burst",
                     "First messages that strangers without a link may leave for one discoverable account:\n"
                     "at once, and then so many an hour.",
                     &Limits::request_box_burst, 1, 1, many},
        LimitSetting{"request_box_per_hour", "", &Limits::request_box_per_second, per_hour, 1, many},
        LimitSetting{
            "open_prekeys_burst",
            "One-time prekeys of one device that are handed out to strangers, at once and then an hour.\n"
            "Beyond that its last-resort key is, so that nobody is refused.",
            &Limits::open_prekeys_burst, 1, 1, many},
        LimitSetting{"open_prekeys_per_hour", "", &Limits::open_prekeys_per_second, per_hour, 1, many},
        LimitSetting{"credential_prekeys_burst", "The same for those who show a token.",
                     &Limits::credential_prekeys_burst, 1, 1, many},
        LimitSetting{"credential_prekeys_per_hour", "", &Limits::credential_prekeys_per_second, per_hour, 1,
                     many},
        LimitSetting{
            "hand_over_ms",
            "An envelope that a connected device has not acknowledged goes into the mailbox after so\n"
            "many milliseconds.",
            &Limits::hand_over_ms, 1, 100, 60'000},
        LimitSetting{
            "unacknowledged_kib",
            "What may be on its way to one device without an acknowledgement; the rest waits in the mailbox.",
            &Limits::outstanding_bytes, kib, 128, many},
        LimitSetting{
            "requests_burst",
            "Requests on one connection, at once and then a second. Beyond that they are refused, and\n"
            "after rate_violations of these the connection is closed.",
            &Limits::requests_burst, 1, 10, many},
        LimitSetting{"requests_per_second", "", &Limits::requests_per_second, 1, 1, many},
        LimitSetting{"rate_violations", "", &Limits::rate_violations, 1, 0, many},
        LimitSetting{"changes_burst",
                     "Records, prekeys and token tables that one connection may publish, at once and then a\n"
                     "second.",
                     &Limits::changes_burst, 1, 5, many},
        LimitSetting{"changes_per_second", "", &Limits::changes_per_second, 1, 1, many},
        LimitSetting{
            "requests_in_flight",
            "Requests of one connection that wait for their answer, in number and in KiB; nothing more\n"
            "is read meanwhile.",
            &Limits::requests_in_flight, 1, 1, 100'000},
        LimitSetting{"requests_in_flight_kib", "", &Limits::bytes_in_flight, kib, 1, many},
        LimitSetting{
            "outbound_kib",
            "What may wait for a client that doesn't read, in KiB and in frames, before it is dropped.",
            &Limits::outbound_bytes, kib, 1024, many},
        LimitSetting{"outbound_frames", "", &Limits::outbound_frames, 1, 256, many},
        LimitSetting{
            "handshake_s",
            "Seconds that a client has: for TLS and HTTP together, to log in, for one frame from its first\n"
            "byte to its last, to read 16 KiB that are written to it, without a sign of life (it is pinged\n"
            "at half of it), and for its goodbye.",
            &Limits::handshake_ms, second, 1, 300},
        LimitSetting{"login_s", "", &Limits::login_ms, second, 1, 3600},
        LimitSetting{"frame_s", "", &Limits::message_ms, second, 1, 3600},
        LimitSetting{"reading_s", "", &Limits::write_ms, second, 1, 3600},
        LimitSetting{"idle_s", "", &Limits::idle_ms, second, 10, 86'400},
        LimitSetting{"goodbye_s", "", &Limits::close_ms, second, 1, 60},
        LimitSetting{"presence_topics",
                     "Presence: topics that are published or watched in all, those that one connection "
                     "publishes (it may\n"
                     "watch as many), connections that watch one topic (it is for one contact, with up to "
                     "eight devices;\n"
                     "each change is told to all of them), and how many topics a connection may change or "
                     "watch at once\n"
                     "and then a second.",
                     &Limits::presence_topics, 1, 1024, 1000 * many},
        LimitSetting{"presence_per_connection", "", &Limits::presence_per_connection, 1, 16, many},
        LimitSetting{"presence_watchers", "", &Limits::presence_watchers, 1, 1, many},
        LimitSetting{"presence_burst", "", &Limits::presence_burst, 1, 1024, many},
        LimitSetting{"presence_per_second", "", &Limits::presence_per_second, 1, 1, many},
        LimitSetting{
            "address_connections",
            "Connections of one IPv4 address or one IPv6 /64: at one time, new ones at once, and from there\n"
            "on a second. 0 is no limit. Behind a proxy all come from one address: raise these then.",
            &Limits::address_connections, 1, 0, 10 * many},
        LimitSetting{"address_burst", "", &Limits::address_burst, 1, 1, 10 * many},
        LimitSetting{"address_per_second", "", &Limits::address_per_second, 1, 0, many},
    };
    return settings;
}

}  // namespace

std::span<const LimitSetting> limit_settings() {
    return table();
}

std::int64_t LimitSetting::get(const Limits& limits) const {
    return std::visit([&](auto member) { return std::llround(static_cast<double>(limits.*member) / unit); },
                      field);
}

void LimitSetting::set(Limits& limits, std::int64_t value) const {
    std::visit(
        [&](auto member) {
            auto& held = limits.*member;
            held = static_cast<std::remove_reference_t<decltype(held)>>(static_cast<double>(value) * unit);
        },
        field);
}

}  // namespace sotto::keyserver
