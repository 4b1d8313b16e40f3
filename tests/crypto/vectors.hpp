// Third-party vectors, read from where they lie beside the source tree; tests skip where they don't.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "sotto/crypto/codec.hpp"

namespace sotto::crypto::test {

inline std::optional<nlohmann::json> vectors(const std::string& name) {
    std::ifstream in{std::string{SOTTO_VECTORS} + "/" + name};
    if (!in) return std::nullopt;
    return nlohmann::json::parse(in);
}

inline Bytes bytes_in(const nlohmann::json& test, const char* field) {
    return from_hex(test.at(field).get<std::string>()).value();
}

/// Runs `check(group, test)` for every test of a Wycheproof file.
template <class Check>
void each_test(const nlohmann::json& file, Check check) {
    std::size_t run = 0;
    for (const auto& group : file.at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            SCOPED_TRACE("tcId " + test.at("tcId").dump());
            check(group, test);
            ++run;
        }
    }
    EXPECT_EQ(run, file.at("numberOfTests").get<std::size_t>());
}

}  // namespace sotto::crypto::test

// NOLINTBEGIN(bugprone-macro-parentheses): a declared name stands without parentheses
#define SOTTO_NEED_VECTORS(variable, name)                      \
    const auto variable = ::sotto::crypto::test::vectors(name); \
    if (!variable)                                              \
    GTEST_SKIP() << "third-party vectors are absent: put " << (name) << " into " << SOTTO_VECTORS
// NOLINTEND(bugprone-macro-parentheses)
