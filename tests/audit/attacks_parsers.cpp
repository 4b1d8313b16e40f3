// What comes in from peers, servers, disks and people, and what stays behind.
#include <algorithm>

#include "attacks.hpp"
#include "client/engine/content.hpp"
#include "image.hpp"
#include "people.hpp"
#include "runner.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/text.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"
#include "support/process.hpp"
#include "vectors.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

namespace {

/// A parser, and something that it takes.
struct Parser {
    const char* name;
    Bytes good;
    bool (*takes)(ByteView);
};

std::vector<Parser> parsers(SystemRng& rng) {
    const Person bob{"bob@chat.example", rng, 7};
    const auto bundle = bob.bundle();
    Conversation c{rng};
    const auto session = c.bob.session().serialize();
    const protocol::Endpoint endpoint{"chat.example", 7443, rng.bytes<32>()};
    const protocol::ContactLink link{endpoint, bob.record.body().address, rng.secret<InviteSecret>(),
                                     account_fingerprint(bob.account.public_key())};
    content::Content content;
    content.set_message_id(std::string(16, 'i'));
    content.set_conversation_id(std::string(32, 'c'));
    content.set_sequence(1);
    content.mutable_text()->set_body("the words");
    return {
        {"account record", to_bytes(bob.record.bytes()),
         [](ByteView b) { return AccountRecord::parse(b).has_value(); }},
        {"signed prekey", bundle.signed_prekey.encode(),
         [](ByteView b) { return SignedPrekey::decode(b).has_value(); }},
        {"KEM prekey", bundle.kem_prekey.encode(),
         [](ByteView b) { return KemPrekey::decode(b).has_value(); }},
        {"one-time prekey", bundle.one_time_prekey->encode(),
         [](ByteView b) { return OneTimePrekey::decode(b).has_value(); }},
        {"stored session", Bytes(session.begin(), session.end()),
         [](ByteView b) { return Session::parse(b).has_value(); }},
        {"server link", to_bytes(bytes_of(protocol::format_server_link(endpoint))),
         [](ByteView b) { return protocol::parse_server_link(chars_of(b)).has_value(); }},
        {"contact link", to_bytes(bytes_of(protocol::format_contact_link(link))),
         [](ByteView b) { return protocol::parse_contact_link(chars_of(b)).has_value(); }},
        {"address", to_bytes(bytes_of("bob@chat.example")),
         [](ByteView b) { return Address::parse(chars_of(b)).has_value(); }},
        {"base64url", to_bytes(bytes_of("c290dG8")),
         [](ByteView b) { return from_base64url(chars_of(b)).has_value(); }},
        {"content", client::encode(content),
         [](ByteView b) { return client::parse_content(b, {}).has_value(); }},
    };
}

void throw_at(Check& check, SystemRng& rng, const Parser& parser) {
    const std::string name = parser.name;
    check.expect(parser.takes(parser.good), name + ": the good one is taken");
    // Addresses, links and base64url of another length can be right in themselves, and so can a content whose
    // last field was cut off whole: those have only to come back.
    const bool fixed_form = name == "account record" || name.ends_with("prekey") || name == "stored session";
    const auto step = std::max<std::size_t>(1, parser.good.size() / 400);
    for (std::size_t size = 0; size < parser.good.size(); size += step) {
        const bool taken = parser.takes(ByteView{parser.good}.first(size));
        check.expect(!taken || !fixed_form, name + " cut short");
    }
    check.expect(!parser.takes(joined(parser.good, repeated(1, 0))), name + " with a byte more");
    check.expect(!parser.takes(joined(parser.good, repeated(100'000, 0xff))),
                 name + " with far too much more");
    for (std::size_t at = 0; at < parser.good.size(); at += step) {
        auto bent = parser.good;
        bent[at] = std::byte{0xff};  // huge lengths and counts, and no UTF-8
        const bool taken = parser.takes(bent);
        check.expect(!taken || name != "account record" || bent == parser.good,
                     name + " with a byte at its most");
    }
    for (int i = 0; i < 500; ++i) {
        Bytes garbage(rng.below(2000));
        rng.fill(garbage);
        check.expect(!parser.takes(garbage) || name == "base64url", "random bytes as " + name);
    }
    check.expect(!parser.takes(repeated(1'000'000, 0x0a)), "a million nested beginnings as " + name);
}

}  // namespace

void attack_parsers(Check& check) {
    SystemRng rng;
    const auto all = parsers(rng);
    for (const auto& parser : all) throw_at(check, rng, parser);
    Conversation c{rng};
    for (int i = 0; i < 500; ++i) {
        Bytes garbage(rng.below(3000));
        rng.fill(garbage);
        if (!garbage.empty()) garbage[0] = std::byte{i % 2 == 0 ? envelope_message : envelope_handshake};
        check.expect(c.bob.refuses(garbage) && !answer(c.bob_person, garbage), "random bytes as an envelope");
    }
    check.note(std::to_string(all.size() + 1) + " parsers");
}

void attack_terminal(Check& check) {
    constexpr std::array hostile{
        "\x1b[2J\x1b[H",               // clears the screen
        "\x1b]0;title\x07",            // sets the window's title
        "\x1b]52;c;cm0gLXJmIH4K\x07",  // writes to the clipboard
        "\x1bP+q544e\x1b\\",           // asks the terminal, which answers by typing
        "\x9b"
        "31m",  // the same in eight bits, which is no UTF-8
        "\xc2\x9b"
        "31m",   // and as UTF-8
        "a\rb",  // goes back to the front of the line
        "a\bb",
        "a\x7f"
        "b",
        "line\n  bob: forged",
        "\xe2\x80\xae"
        "gpj.exe",  // right-to-left override
        "\xe2\x81\xa6"
        "x\xe2\x81\xa9",
        "pay\xe2\x80\x8bpal",  // zero-width space
        "\xef\xbb\xbf"
        "bom",
        "\xf3\xa0\x81\x81",  // a tag character
        "\xed\xa0\x80",      // a surrogate
        "\xc0\x9b[31m",      // an overlong form
        "\xf4\x90\x80\x80",
    };
    for (const std::string_view text : hostile) {
        const auto shown = protocol::printable(text);
        const bool controls = std::ranges::any_of(shown, [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f;
        });
        check.expect(!controls, "a control character is shown as it is");
        check.expect(protocol::valid_utf8(shown), "what is shown is UTF-8");
        for (const std::string_view invisible : {"\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9",
                                                 "\xe2\x80\x8b", "\xef\xbb\xbf", "\xf3\xa0\x81\x81"})
            check.expect(shown.find(invisible) == std::string::npos, "an invisible character is passed on");
        check.expect(shown != text, "it is not shown as it is");
        const auto several = protocol::printable(text, true);
        check.expect(several.find('\x1b') == std::string::npos && several.find('\r') == std::string::npos,
                     "nor in a text of several lines");
    }
    for (const std::string_view text : {"plain words", "Grüße, 世界, здравствуйте", "a < b && c > d"})
        check.expect(protocol::printable(text) == text, "harmless text stays");
}

void attack_paths(Check& /*check*/) {
    Check::skip("no file is received in this version");
}

void attack_timing(Check& /*check*/) {
    Check::skip("group constant-flow was not run");  // its outcome stands here where it was: runner.cpp
}

void attack_secrets_left(Check& check) {
    using namespace storage;  // NOLINT(google-build-using-namespace)
    const test::TemporaryFolder folder;
    const test::TemporaryFolder elsewhere;
    const ProfilePaths paths{folder.path()};
    SystemRng rng;
    Needles needles;
    {
        SecretBytes passphrase(24);
        rng.fill(passphrase);
        auto account = AccountKeyPair::generate(rng);
        auto master = must(
            Vault::create(paths.vault(), passphrase, {.memory_kib = 8 * 1024, .passes = 1}, account, rng),
            "making a vault");
        const auto key = store_key(master);
        needles.add("passphrase", passphrase);
        needles.add("account key", account.seed().expose());
        needles.add("master key", master.expose());
        needles.add("database key", key.expose());
        auto store = must(ClientStore::open(paths.database(), key), "opening a store");
        const auto text = to_base64url(rng.bytes<24>());
        needles.add("stored words", bytes_of(text));
        must(store.put_setting("words", text), "writing");
        check.expect(needles.count_in_files(folder.path()) == 0, "a secret stands in the store's files");
        auto again = must(Vault::open(paths.vault(), passphrase), "opening the vault");
        check.expect(sanitized() || needles.count_in_memory("master key") > 0,
                     "what is alive is found: the search works");
        const auto hex = to_hex(key.expose());
        check.expect(hex.size() == 64, "as SQLCipher takes it");
    }
    if (sanitized())
        check.not_yet("memory", "built with a sanitizer, whose own memory keeps copies of everything");
    else
        for (const auto* const name : {"passphrase", "account key", "master key", "database key"})
            check.expect(needles.count_in_memory(name) == 0, std::string{name} + " is left in memory");
    check.expect(needles.count_in_files(folder.path()) == 0, "a secret stands in the store's files");
    check.not_yet("core dumps, and after the programs' exit",
                  "shown on the real programs by Profile.LeavesNoCoreFileAndCannotBeAttachedTo");
}

}  // namespace sotto::audit
