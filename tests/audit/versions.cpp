#include <openssl/crypto.h>

#include "bare.hpp"
#include "embedded.hpp"
#include "people.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "sotto/storage/database.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

/// As the library says in a database of its own making.
std::string answer_of(storage::Database& database, std::string_view question) {
    auto statement = database.prepare(question);
    const auto row = statement.step();
    return row && *row ? statement.text(0) : "unknown";
}

}  // namespace

std::vector<Version> versions() {
    std::vector<Version> out;
    out.push_back({"Sotto", SOTTO_VERSION});
    out.push_back({"built by", std::string{embedded::build()}});
    out.push_back({"libsodium", bare::sodium_version()});
    const test::TemporaryFolder folder;
    const storage::DatabaseKey key{Array<32>{}};
    auto database = must(storage::Database::open(folder / "versions.db", key, {}), "making a database");
    out.push_back({"SQLCipher", answer_of(database, "PRAGMA cipher_version") + ", SQLite " +
                                    answer_of(database, "SELECT sqlite_version()")});
    out.push_back({"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)});
    const auto valgrind = valgrind_version();
    out.push_back({"Valgrind", valgrind.empty() ? "not installed" : valgrind});
    out.push_back({"processor", bare::processor_features()});
    return out;
}

}  // namespace sotto::audit
