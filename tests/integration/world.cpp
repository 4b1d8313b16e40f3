#include "integration/world.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <random>
#include <stdexcept>

namespace sotto::test {
namespace {

// Sanitized programs on a busy machine take their time; this only bounds a test that hangs.
constexpr std::chrono::seconds patience{60};

/// Temporary files, if a program makes any, land where the test looks for them.
std::map<std::string, std::string> temporary_files_in(const std::filesystem::path& folder) {
    const auto temporary = folder / "tmp";
    std::filesystem::create_directories(temporary);
    return {{"TMPDIR", temporary.string()}, {"SQLITE_TMPDIR", temporary.string()}};
}

}  // namespace

Server::Server(std::filesystem::path folder, std::string registration)
    : folder_(std::move(folder)), port_(free_port()) {
    const auto made = test::run(
        {.args = {SOTTO_KEYSERVER, "init", "--data", folder_.string(), "--listen",
                  "127.0.0.1:" + std::to_string(port_), "--registration", std::move(registration)}});
    if (!made.exit.ok()) throw std::runtime_error("sotto-keyserver init: " + made.errors);
    printed_ = made.output + made.errors;
    link_ = link_in(made.output);
}

void Server::start() {
    process_.emplace(Command{.args = {SOTTO_KEYSERVER, "run", "--data", folder_.string()},
                             .environment = temporary_files_in(folder_.parent_path())});
    if (!process_->wait_for("ready", patience)) {
        const auto why = process_->errors();
        process_.reset();
        throw std::runtime_error("sotto-keyserver run: " + why);
    }
}

int Server::stop() {
    process_->kill(SIGTERM);
    const auto exited = process_->wait(patience);
    keep_output();
    return exited ? exited->code : -1;
}

void Server::kill() {
    process_->kill(SIGKILL);
    process_->wait(patience);
    keep_output();
}

void Server::keep_output() {
    printed_ += process_->output() + process_->errors();
    process_.reset();
}

std::string Server::printed() const {
    return process_ ? printed_ + process_->output() + process_->errors() : printed_;
}

Finished Server::command(std::vector<std::string> words) const {
    std::vector<std::string> args{SOTTO_KEYSERVER, words.at(0), "--data", folder_.string()};
    args.insert(args.end(), words.begin() + 1, words.end());
    return test::run({.args = std::move(args)});
}

Person::Person(const std::filesystem::path& folder, std::string name)
    : name_(std::move(name)), home_(folder / name_), passphrase_file_(folder / (name_ + ".passphrase")) {
    write_file(passphrase_file_, "correct horse of " + name_ + "\n");
    std::filesystem::permissions(passphrase_file_,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

Command Person::command(std::vector<std::string> words) const {
    std::vector<std::string> args{SOTTO_CLIENT, "--home", home_.string(), "--passphrase-file",
                                  passphrase_file_.string()};
    args.insert(args.end(), words.begin(), words.end());
    return {.args = std::move(args), .environment = temporary_files_in(home_.parent_path())};
}

Finished Person::run(std::vector<std::string> words, std::optional<std::string> input,
                     std::chrono::milliseconds timeout) const {
    auto what = command(std::move(words));
    what.input = std::move(input);
    return test::run(std::move(what), timeout);
}

Finished Person::init(const Server& server, const std::vector<std::string>& more) const {
    std::vector<std::string> words{"init",         "--server", server.link(),  "--user", name_,
                                   "--kdf-memory", "8",        "--kdf-passes", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return run(std::move(words));
}

World::World(Acquainted acquainted)
    : server_(folder_ / "server"), alice_(folder_.path(), "alice"), bob_(folder_.path(), "bob") {
    server_.start();
    for (const auto* person : {&alice_, &bob_}) {
        const auto made = person->init(server_);
        if (!made.exit.ok()) throw std::runtime_error("init: " + made.errors);
    }
    if (acquainted == Acquainted::yes) acquaint(alice_, bob_);
}

void World::acquaint(const Person& alice, const Person& bob) {
    const auto invited = alice.run({"invite"});
    if (!invited.exit.ok()) throw std::runtime_error("invite: " + invited.errors);
    const auto added = bob.run({"contact", "add", link_in(invited.output)});
    if (!added.exit.ok()) throw std::runtime_error("contact add: " + added.errors);
    for (const auto* person : {&alice, &bob, &alice}) {
        const auto got = person->run({"receive"});
        if (!got.exit.ok()) throw std::runtime_error("receive: " + got.errors);
    }
}

std::string link_in(std::string_view output) {
    const auto from = output.find("sotto://");
    if (from == std::string_view::npos) return {};
    return std::string{output.substr(from, output.find_first_of(" \t\r\n\"", from) - from)};
}

std::vector<nlohmann::json> json_lines(std::string_view output) {
    std::vector<nlohmann::json> out;
    for (const auto& line : lines_of(output)) out.push_back(nlohmann::json::parse(line));
    return out;
}

std::vector<std::string> texts(const Finished& finished) {
    std::vector<std::string> out;
    for (const auto& message : json_lines(finished.output)) out.push_back(message.at("text"));
    return out;
}

testing::AssertionResult is_one_sentence(const std::string& errors) {
    const auto lines = lines_of(errors);
    if (lines.size() != 1) return testing::AssertionFailure() << "not one line: " << errors;
    if (!lines[0].starts_with("sotto")) return testing::AssertionFailure() << "no program's name: " << errors;
    if (!lines[0].ends_with('.')) return testing::AssertionFailure() << "not a sentence: " << errors;
    return testing::AssertionSuccess();
}

std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) out.push_back(entry.path());
    return out;
}

std::vector<std::filesystem::path> files_with(const std::filesystem::path& folder, std::string_view bytes) {
    std::vector<std::filesystem::path> out;
    for (const auto& file : files_under(folder))
        if (read_file(file).find(bytes) != std::string::npos) out.push_back(file);
    return out;
}

double test_scale() {
    const char* text = std::getenv("SOTTO_TEST_SCALE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return text == nullptr ? 1.0 : std::clamp(std::strtod(text, nullptr), 0.0, 1.0);
}

std::uint64_t test_seed() {
    const char* text = std::getenv("SOTTO_SEED");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

}  // namespace sotto::test
