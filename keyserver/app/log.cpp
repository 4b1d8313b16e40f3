#include "keyserver/app/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace sotto::keyserver {
namespace {

/// The message as a JSON string: whatever it holds, the line stays one object.
class JsonMessage final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm& /*in the pattern*/,
                spdlog::memory_buf_t& out) override {
        const nlohmann::json text = std::string{message.payload.data(), message.payload.size()};
        const auto quoted = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        out.append(quoted.data(), quoted.data() + quoted.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JsonMessage>();
    }
};

}  // namespace

void set_up_log(const std::string& level, LogFormat format) {
    static const auto logger = spdlog::stderr_logger_mt("sotto-keyserver");
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    if (format == LogFormat::json)
        formatter->add_flag<JsonMessage>('J').set_pattern(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%J})");
    else
        formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ [%l] %v");
    logger->set_formatter(std::move(formatter));
    spdlog::set_default_logger(logger);
    spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace sotto::keyserver
