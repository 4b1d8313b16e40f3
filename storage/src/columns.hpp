// Reading stored rows strictly: whatever is out of shape makes the whole row `damaged`.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "sotto/storage/database.hpp"

namespace sotto::storage::detail {

/// Reads a row's columns front to back. The first failure is remembered, as in crypto::Reader.
class Columns {
  public:
    explicit Columns(const Statement& row) : row_(&row) {}

    [[nodiscard]] std::int64_t i64() { return row_->integer(at_++); }
    /// Stored as the signed number of the same 64 bits.
    [[nodiscard]] std::uint64_t u64() { return static_cast<std::uint64_t>(i64()); }
    [[nodiscard]] std::uint32_t u32() { return bounded<std::uint32_t>(); }
    [[nodiscard]] std::uint16_t u16() { return bounded<std::uint16_t>(); }
    [[nodiscard]] bool boolean() { return bounded<std::uint8_t>(1) != 0; }
    template <class Enum>
    [[nodiscard]] Enum enumeration(Enum last) {
        return static_cast<Enum>(bounded<std::uint8_t>(static_cast<std::uint8_t>(last)));
    }
    [[nodiscard]] std::string text() { return row_->text(at_++); }
    [[nodiscard]] Bytes blob() { return row_->blob(at_++); }
    [[nodiscard]] ByteView view() { return row_->blob_view(at_++); }
    template <std::size_t N>
    [[nodiscard]] Array<N> array() {
        Array<N> out{};
        ok_ = row_->fixed(at_++, std::span<std::byte, N>{out}) && ok_;
        return out;
    }
    template <std::size_t N>
    [[nodiscard]] std::optional<Array<N>> optional_array() {
        if (!row_->is_null(at_)) return array<N>();
        ++at_;
        return std::nullopt;
    }
    template <class SecretType>
    [[nodiscard]] SecretType secret() {
        SecretType out;
        ok_ = row_->fixed(at_++, out.writable()) && ok_;
        return out;
    }
    template <class SecretType>
    [[nodiscard]] std::optional<SecretType> optional_secret() {
        if (!row_->is_null(at_)) return secret<SecretType>();
        ++at_;
        return std::nullopt;
    }

    void fail() { ok_ = false; }
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    template <class T>
    T bounded(T last = std::numeric_limits<T>::max()) {
        const auto value = i64();
        if (value >= 0 && value <= static_cast<std::int64_t>(last)) return static_cast<T>(value);
        ok_ = false;
        return 0;
    }

    const Statement* row_;
    int at_ = 0;
    bool ok_ = true;
};

/// `what` names the kind of row, for the log.
[[nodiscard]] inline Error damaged_row(std::string_view what) {
    return {.code = Code::damaged, .detail = "a stored " + std::string{what} + " is out of shape"};
}

/// What a `read(Columns&) -> std::optional<T>` gives for one row; its own word or the columns' may refuse it.
template <class Read>
[[nodiscard]] auto read_row(const Statement& row, std::string_view what, const Read& read)
    -> Result<typename decltype(read(std::declval<Columns&>()))::value_type> {
    Columns columns{row};  // NOLINT(misc-const-correctness): read() changes it, unseen in a template
    auto value = read(columns);
    if (!columns.ok() || !value) return std::unexpected(damaged_row(what));
    return std::move(*value);
}

/// The first row, if there is one.
template <class Read>
[[nodiscard]] auto read_one(Statement& statement, std::string_view what, const Read& read)
    -> Result<decltype(read(std::declval<Columns&>()))> {
    const auto row = statement.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return std::nullopt;
    auto value = read_row(statement, what, read);
    if (!value) return std::unexpected(std::move(value.error()));
    return std::move(*value);
}

/// All rows, in order.
template <class Read>
[[nodiscard]] auto read_all(Statement& statement, std::string_view what, const Read& read)
    -> Result<std::vector<typename decltype(read(std::declval<Columns&>()))::value_type>> {
    std::vector<typename decltype(read(std::declval<Columns&>()))::value_type> rows;
    for (;;) {
        const auto row = statement.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) return rows;
        auto value = read_row(statement, what, read);
        if (!value) return std::unexpected(std::move(value.error()));
        rows.push_back(std::move(*value));
    }
}

}  // namespace sotto::storage::detail
