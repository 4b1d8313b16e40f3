// What the command line said.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sotto::cli {

/// Where a passphrase comes from; neither: the terminal.
struct PassphraseSource {
    std::string file;
    int fd = -1;
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): there is one, and it is read by verb
struct Options {
    // every verb
    std::filesystem::path home;
    bool json = false;
    bool verbose = false;
    PassphraseSource passphrase;

    // init
    std::string server;
    std::string user;
    std::string registration_invite;
    bool accept_unbound = false;
    // init, passphrase
    unsigned kdf_memory_mib = 0;  ///< 0: measured
    unsigned kdf_passes = 0;
    PassphraseSource new_passphrase;

    // contacts
    std::string contact;
    std::string link;
    std::string name;

    std::string contact_presence;  ///< on, off; empty: as it is
    std::string contact_direct;    ///< on, off, default; empty: as it is

    // chat
    bool plain = false;

    // presence
    std::string status;  ///< empty: only show it

    // direct
    std::string direct_policy;  ///< empty: only show it
    std::string direct_upnp;    ///< on, off; empty: as it is

    // verify
    bool confirm = false;
    std::optional<std::string> scan;
    bool qr = false;
    bool accept_new_key = false;
    bool reject_new_key = false;

    // messages
    std::optional<std::string> text;
    std::string file;
    bool lines = false;
    std::string wait = "stored";
    std::optional<double> timeout_s;
    bool follow = false;
    int count = 0;
    std::string search;
    int limit = 50;
};

}  // namespace sotto::cli
