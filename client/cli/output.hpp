// Standard output and standard error: the only way to them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "outcome.hpp"
#include "sotto/crypto/bytes.hpp"

namespace sotto::cli {

/// Fields stay in the order in which they were written down.
using Json = nlohmann::ordered_json;

void print(std::string_view text);
void print_line(std::string_view text);
/// One object, one line.
void print_json(const Json& object);
/// False (with the sentence) if anything printed so far could not be written.
[[nodiscard]] Outcome flush_output();
[[nodiscard]] bool output_is_terminal();

/// `sotto: …` on standard error.
void say_error(std::string_view sentence);
void say_note(std::string_view sentence);

/// RFC 3339, UTC, with milliseconds.
[[nodiscard]] std::string rfc3339(std::int64_t ms);
/// "2026-03-09 17:05", in the time zone of whoever reads it.
[[nodiscard]] std::string local_time(std::int64_t ms);
/// "Monday, 2026-03-09", in the same zone.
[[nodiscard]] std::string local_day(std::int64_t ms);
/// "12345 67890 …", `a_line` groups to a line.
[[nodiscard]] std::string grouped(std::string_view text, std::size_t group, std::size_t a_line = 0);
/// Eight bytes of a fingerprint: enough to tell contacts apart, not to verify one.
[[nodiscard]] std::string short_fingerprint(const Array<32>& fingerprint);

}  // namespace sotto::cli
