#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <limits>

namespace sotto::cli {
namespace {

void nothing(CLI::App& /*app*/, Options& /*options*/) {}

void passphrase_cost(CLI::App& app, Options& options) {
    app.add_option("--kdf-memory", options.kdf_memory_mib,
                   "MiB of memory that one guess at the passphrase costs (8 to 4096; default: measured, at "
                   "most 256). "
                   "Less than the default LOWERS the protection of a stolen copy; for weak machines only")
        ->check(CLI::Range(8U, 4096U));
    app.add_option("--kdf-passes", options.kdf_passes,
                   "Passes over that memory (1 to 64; default 3). Fewer LOWER the protection too")
        ->check(CLI::Range(1U, 64U));
}

void init(CLI::App& app, Options& options) {
    app.add_option("--server", options.server, "The server's link: sotto://host:port/#PIN")->required();
    app.add_option("--user", options.user, "The name to have there: a-z, 0-9, dot, hyphen, underscore")
        ->required();
    app.add_option("--invite", options.registration_invite,
                   "The registration invite that the server's operator gave");
    app.add_flag("--accept-unbound", options.accept_unbound,
                 "Accept a server behind a proxy that can't bind log-ins to its TLS connection");
    passphrase_cost(app, options);
}

void contact(CLI::App& app, Options& options) {
    app.add_option("CONTACT", options.contact, "A contact's name or address")->required();
}

void contact_add(CLI::App& app, Options& options) {
    app.add_option("LINK", options.link, "The link that the other person's `sotto invite` printed")
        ->required();
    app.add_option("--name", options.name, "What to call them here (default: their user name)");
}

void contact_set(CLI::App& app, Options& options) {
    contact(app, options);
    app.add_option("--presence", options.contact_presence,
                   "Whether they may see when you are there: on (as it is at first) or off")
        ->check(CLI::IsMember({"on", "off"}));
    app.add_option(
           "--direct", options.contact_direct,
           "Whether they may be reached without the server, which shows them your network address: on, "
           "off, or default (as `sotto direct` says)")
        ->check(CLI::IsMember({"on", "off", "default"}));
}

void direct(CLI::App& app, Options& options) {
    app.add_option("WITH", options.direct_policy,
                   "off, verified (contacts verified, by link or by number; as it is at first) or contacts "
                   "(all of them); without it what is set is shown")
        ->check(CLI::IsMember({"off", "verified", "contacts"}));
    app.add_option(
           "--upnp", options.direct_upnp,
           "on: ask the router, by UPnP, to let such sessions in; everybody on the same network can see "
           "that. off, as it is at first")
        ->check(CLI::IsMember({"on", "off"}));
}

void presence(CLI::App& app, Options& options) {
    auto* status =
        app.add_option("STATUS", options.status,
                       "online, away, busy, or invisible (contacts see you as offline); without it "
                       "what is set is shown")
            ->check(CLI::IsMember({"online", "away", "busy", "invisible"}));
    app.add_option("TEXT", options.text, "A few words that contacts see beside it, at most 128 bytes")
        ->needs(status);
}

void chat(CLI::App& app, Options& options) {
    app.add_option("CONTACT", options.contact, "Whom to begin with: a contact's name or address");
    app.add_flag("--plain", options.plain,
                 "Print whole lines and nothing else: for screen readers, logs and slow terminals");
}

void who(CLI::App& app, Options& options) {
    app.add_flag("--follow", options.follow, "Go on and print each change, until interrupted");
}

void verify(CLI::App& app, Options& options) {
    contact(app, options);
    auto* confirm =
        app.add_flag("--confirm", options.confirm,
                     "The numbers were compared by eye or ear and are the same: mark the contact verified");
    auto* scan = app.add_option("--scan", options.scan,
                                "What a scanner read from the QR code on their screen, or their 60 digits: "
                                "compared here; - reads it from standard input");
    scan->excludes(confirm);
    app.add_flag("--qr", options.qr, "Draw the QR code also where the output is no terminal");
    auto* accept = app.add_flag("--accept-new-key", options.accept_new_key,
                                "Decide for the other key that has appeared; verified only together with "
                                "--scan or --confirm, after its number was compared");
    app.add_flag("--reject-new-key", options.reject_new_key,
                 "Decide against the other key that has appeared: all stays as it was before")
        ->excludes(accept)
        ->excludes(confirm)
        ->excludes(scan);
}

void send(CLI::App& app, Options& options) {
    contact(app, options);
    auto* text =
        app.add_option("TEXT", options.text,
                       "The message; - reads it from standard input. Other users of the machine may see a "
                       "program's arguments: give secrets by - or --file");
    auto* file = app.add_option("--file", options.file, "Send the content of a file as one message");
    auto* lines =
        app.add_flag("--lines", options.lines, "Each line of standard input is a message of its own");
    text->excludes(file);
    file->excludes(lines);
    app.add_option(
           "--wait", options.wait,
           "Return when the message was `sent` (handed to the network), `stored` (the server has it) or "
           "`delivered` (the other device has acknowledged it)")
        ->check(CLI::IsMember({"sent", "stored", "delivered"}))
        ->capture_default_str();
    app.add_option("--timeout", options.timeout_s,
                   "Seconds to keep trying; without it a server that can't be reached is tried once, and an "
                   "answer is "
                   "waited for 30 seconds")
        ->check(CLI::Range(0.0, 1e9));
}

void receive(CLI::App& app, Options& options) {
    auto* follow =
        app.add_flag("--follow", options.follow, "Go on until interrupted, reconnecting as needed");
    app.add_option("--timeout", options.timeout_s,
                   "Wait for at most so many seconds until something comes; ends earlier once it is printed "
                   "and all is read")
        ->check(CLI::Range(0.0, 1e9))
        ->excludes(follow);
    app.add_option("--count", options.count, "End once so many messages have been printed")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()));
}

void history(CLI::App& app, Options& options) {
    contact(app, options);
    app.add_option("--search", options.search, "Only messages with all of these words");
    app.add_option("--limit", options.limit, "At most so many, the newest")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()))
        ->capture_default_str();
}

void passphrase(CLI::App& app, Options& options) {
    auto* file =
        app.add_option("--new-passphrase-file", options.new_passphrase.file,
                       "A file whose content is the new passphrase (one line feed at its end is dropped)");
    app.add_option("--new-passphrase-fd", options.new_passphrase.fd,
                   "A descriptor to read the new passphrase from")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
    passphrase_cost(app, options);
}

constexpr std::array table{
    Command{
        .path = "init",
        .summary = "Create identity, vault and store, and register with a server",
        .details = "If it ends before the server has answered, the same command goes on with the same keys.",
        .declare = init,
        .run = run_init},
    Command{.path = "whoami",
            .summary = "Show address, device and key of this profile",
            .details = "",
            .declare = nothing,
            .run = run_whoami},
    Command{.path = "status",
            .summary = "Log in, and show how the connection and the store stand",
            .details = "",
            .declare = nothing,
            .run = run_status},
    Command{
        .path = "invite",
        .summary = "Print a link by which one person can become a contact",
        .details =
            "It works once and for 7 days. Whoever has it can write to you: hand it over by a way you trust.",
        .declare = nothing,
        .run = run_invite},
    Command{.path = "contact",
            .summary = "Add, list, show, block and remove contacts",
            .details = "",
            .declare = nothing,
            .run = nullptr},
    Command{.path = "contact add",
            .summary = "Add the person whose link this is",
            .details = "",
            .declare = contact_add,
            .run = run_contact_add},
    Command{.path = "contact list",
            .summary = "List contacts",
            .details = "",
            .declare = nothing,
            .run = run_contact_list},
    Command{.path = "contact show",
            .summary = "Show what is known of a contact",
            .details = "",
            .declare = contact,
            .run = run_contact_show},
    Command{.path = "contact block",
            .summary = "Take nothing more from a contact, and send them nothing",
            .details =
                "The token by which contacts write to you is replaced, and the others get the new one. "
                "What waits for "
                "them in the outbox is dropped. They are not told, but see that your server refuses "
                "them.",
            .declare = contact,
            .run = run_contact_block},
    Command{.path = "contact unblock",
            .summary = "Let a blocked contact write again",
            .details = "What they tried to send meanwhile may still come then.",
            .declare = contact,
            .run = run_contact_unblock},
    Command{.path = "contact remove",
            .summary = "Forget a contact with all messages, sessions and keys",
            .details = "Like one who is blocked they can't write to you any more. A link that you give them "
                       "makes them a new contact.",
            .declare = contact,
            .run = run_contact_remove},
    Command{.path = "contact set",
            .summary = "Decide what a contact may see, and how they are reached",
            .details = "",
            .declare = contact_set,
            .run = run_contact_set},
    Command{.path = "presence",
            .summary = "Choose what contacts see of you: online, away, busy or invisible",
            .details = "It is kept, and shown while `sotto chat` or `sotto receive --follow` runs. Each "
                       "contact's copy is "
                       "encrypted for them alone.",
            .declare = presence,
            .run = run_presence},
    Command{.path = "direct",
            .summary = "Choose who may be reached directly, without the server",
            .details = "A direct session is faster and needs no server, and shows both sides each other's "
                       "network address. It is tried in the background while `sotto chat` or `sotto receive "
                       "--follow` runs; where it does not come about, messages go by the server as ever.",
            .declare = direct,
            .run = run_direct},
    Command{.path = "who",
            .summary = "Show which contacts are there",
            .details = "Looking does not show you to anybody.",
            .declare = who,
            .run = run_who},
    Command{.path = "verify",
            .summary = "Show the safety number to compare with a contact",
            .details =
                "Compare the 60 digits by a call or in person; only then use --confirm. Or give what is on "
                "their screen to --scan, and let them do the same with yours: each comparison counts on the "
                "side that makes it. When another key has appeared for a contact, nothing is sent to them "
                "until you decide with --accept-new-key or --reject-new-key.",
            .declare = verify,
            .run = run_verify},
    Command{
        .path = "send",
        .summary = "Send a message; prints its id",
        .details =
            "A message that can't leave now waits in the outbox, and leaves with the next send or receive.",
        .declare = send,
        .run = run_send},
    Command{.path = "receive",
            .summary = "Print what has come and was not printed yet",
            .details = "A message counts as printed once it has left this program. If the program is killed "
                       "in that moment, "
                       "that one message is printed again, with the same id and row; none is ever left out.",
            .declare = receive,
            .run = run_receive},
    Command{.path = "chat",
            .summary = "Talk with several contacts at once",
            .details =
                "@NAME TEXT writes to somebody, bare text goes to the open conversation, /help lists the "
                "commands. Contacts see that you are there.",
            .declare = chat,
            .run = run_chat},
    Command{.path = "history",
            .summary = "Print the messages with a contact, in both directions",
            .details = "",
            .declare = history,
            .run = run_history},
    Command{.path = "passphrase",
            .summary = "Change the passphrase",
            .details = "",
            .declare = passphrase,
            .run = run_passphrase},
};

}  // namespace

std::span<const Command> commands() {
    return table;
}

}  // namespace sotto::cli
