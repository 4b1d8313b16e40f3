// A small HTTP server for the operator's own machine: a few paths, plain text, one thread.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "keyserver/net/server.hpp"

namespace sotto::keyserver {

struct Page {
    bool good = true;  ///< 200, or 503
    std::string text;
};
/// What lies at a path; nothing: 404. Called on the listener's thread.
using Pages = std::function<std::optional<Page>(std::string_view path)>;

class MetricsListener {
  public:
    /// Listens when it returns; on failure one sentence.
    [[nodiscard]] static std::expected<std::unique_ptr<MetricsListener>, std::string> start(
        const ListenAddress& listen, Pages pages);
    MetricsListener(const MetricsListener&) = delete;
    MetricsListener& operator=(const MetricsListener&) = delete;
    /// Ends what is under way.
    virtual ~MetricsListener() = default;
    [[nodiscard]] virtual std::uint16_t port() const = 0;

  protected:
    MetricsListener() = default;
};

}  // namespace sotto::keyserver
