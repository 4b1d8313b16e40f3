// The vector files in the repository: they hold, they are what the library makes now, and any altered value
// in them is noticed.
#include "vectors.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace sotto::vectors {
namespace {

const std::filesystem::path folder = SOTTO_VECTOR_FOLDER;

const Files& files() {
    static const Files all = read(folder);
    return all;
}

TEST(Vectors, HoldAndFollowFromTheirInputsAndDefinitions) {
    EXPECT_NO_THROW(verify(files()));
}

TEST(Vectors, AreByteForByteWhatTheLibraryMakes) {
    const auto made = generate();
    EXPECT_EQ(made.size(), files().size());
    for (const auto& [name, file] : made) {
        std::ifstream in{folder / name, std::ios::binary};
        const std::string said{std::istreambuf_iterator<char>{in}, {}};
        EXPECT_TRUE(said == printed(file))
            << name << " differs: a change of the protocol, or of the vectors? See tests/vectors/README.md";
    }
}

TEST(Vectors, AMissingFileAndAnUnknownOneAreNoticed) {
    for (const auto& kind : kinds()) {
        auto fewer = files();
        fewer.erase(kind.name);
        EXPECT_THROW(verify_file(fewer, kind.name), Mismatch) << kind.name;
    }
    auto more = files();
    more["more.json"] = Json::object();
    EXPECT_THROW(verify(more), Mismatch);
}

/// The paths of all values below one.
void leaves(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
    if (value.is_object()) {
        for (const auto& [name, below] : value.items()) leaves(below, at / name, out);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) leaves(value[i], at / i, out);
    } else {
        out.push_back(at);
    }
}

std::vector<Json::json_pointer> leaves(const Json& value) {
    std::vector<Json::json_pointer> out;
    leaves(value, Json::json_pointer{}, out);
    return out;
}

char neighbour(char c) {
    if (c == '0') return '1';
    if (c == 'a') return 'b';
    if (c == 'f') return 'e';
    return c >= '0' && c <= '9' ? '0' : 'a';
}

/// Another value of the same kind that looks as if it could stand there: a bit of a hex string, a character,
/// one more.
void alter(Json& value) {
    if (value.is_string()) {
        auto text = value.get<std::string>();
        if (text.empty()) text = "00";
        text.back() = neighbour(text.back());
        value = text;
    } else if (value.is_boolean()) {
        value = !value.get<bool>();
    } else if (value.is_null()) {
        value = "00";
    } else {
        value = value.get<std::int64_t>() + 1;
    }
}

class AlteredVectors : public testing::TestWithParam<const char*> {
  protected:
    const Kind& kind = *std::ranges::find_if(
        kinds(), [](const Kind& one) { return std::string_view{one.name} == GetParam(); });
    const Json& cases = files().at(GetParam()).at("cases");
};

TEST_P(AlteredVectors, AnyGivenValueMatters) {
    for (const auto& one : cases) {
        for (const auto& at : leaves(one.at("given"))) {
            auto altered = one;
            alter(altered["given"][at]);
            EXPECT_THROW(verify_case(files(), kind, altered), Mismatch) << one.at("name") << at.to_string();
        }
    }
}

TEST_P(AlteredVectors, AnyDerivedValueIsCompared) {
    for (const auto& one : cases) {
        auto given = one.at("given");
        const auto derived = kind.derive(given, World{files(), nullptr});
        ASSERT_NO_THROW(expect_same(one.at("derived"), derived, ""));
        for (const auto& at : leaves(derived)) {
            auto altered = derived;
            alter(altered[at]);
            EXPECT_THROW(expect_same(altered, derived, ""), Mismatch) << one.at("name") << at.to_string();
        }
        auto altered = one;
        alter(altered["derived"][leaves(derived).back()]);
        EXPECT_THROW(verify_case(files(), kind, altered), Mismatch) << one.at("name");
        altered = one;
        altered["derived"]["more"] = 1;
        EXPECT_THROW(verify_case(files(), kind, altered), Mismatch) << one.at("name");
    }
}

/// Fields that follow from their neighbours by a definition of docs/protocol.md.
const std::set<std::string> defined{"record_hash",
                                    "predecessor_signature",
                                    "dh1",
                                    "dh2",
                                    "dh3",
                                    "dh4",
                                    "kem_shared_secret",
                                    "clear_hash",
                                    "k1",
                                    "identity",
                                    "session_id",
                                    "root_key",
                                    "replay_id",
                                    "agreement",
                                    "next_root_key",
                                    "chain_key",
                                    "next_header_key",
                                    "hint_key",
                                    "hint",
                                    "next_chain_key",
                                    "message_key",
                                    "header",
                                    "commitment",
                                    "encryption_key",
                                    "invite_id",
                                    "token",
                                    "token_hash",
                                    "mac_key",
                                    "invite_mac",
                                    "fingerprint",
                                    "proof",
                                    "label",
                                    "number",
                                    "wrapping_key",
                                    "wrapped"};

TEST_P(AlteredVectors, DefinitionsNoticeThemWithoutTheLibrarysOwnPath) {
    const World world{files(), nullptr};
    for (const auto& one : cases) {
        if (one.at("derived").contains("is") || one.at("derived").contains("error")) continue;
        ASSERT_NO_THROW(kind.check(one.at("given"), one.at("derived"), world));
        std::set<std::string> tried;
        for (const auto& at : leaves(one.at("derived"))) {
            if (!defined.contains(at.back()) || !tried.insert(at.back()).second) continue;
            auto altered = one.at("derived");
            alter(altered[at]);
            EXPECT_THROW(kind.check(one.at("given"), altered, world), Mismatch)
                << one.at("name") << at.to_string();
        }
    }
}

/// As far as a test's name may go: no dot, no hyphen.
std::string test_name(const testing::TestParamInfo<const char*>& of) {
    std::string name = of.param;
    name.resize(name.find('.'));
    std::erase(name, '-');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, AlteredVectors,
                         testing::Values("people.json", "account-record.json", "prekeys.json",
                                         "handshake.json", "epochs.json", "ratchet.json", "envelope.json",
                                         "attachment.json", "invite.json", "login.json", "safety-number.json",
                                         "passphrase.json", "links.json"),
                         test_name);

TEST(Vectors, EveryFileIsAltered) {
    // One parameter each above: a new kind of file has to be added there.
    EXPECT_EQ(kinds().size(), 13U);
}

}  // namespace
}  // namespace sotto::vectors
