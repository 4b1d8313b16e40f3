#include "log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

std::string_view words_for(client::Purpose purpose) {
    switch (purpose) {
        case client::Purpose::identified:
            return "identified";
        case client::Purpose::presence:
            return "for presence";
        case client::Purpose::delivery:
            break;
    }
    return "for delivery";
}

}  // namespace

void start_log(bool verbose) {
    auto logger =
        std::make_shared<spdlog::logger>("sotto", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(verbose ? spdlog::level::debug : spdlog::level::off);
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    spdlog::set_default_logger(std::move(logger));
}

void log_event(const client::NetworkEvent& event) {
    if (const auto* up = std::get_if<client::Connected>(&event))
        spdlog::debug("connection {} is up: {}", up->id, up->tls);
    else if (const auto* frame = std::get_if<client::FrameReceived>(&event))
        spdlog::debug("connection {}: {} bytes in", frame->id, frame->frame.size());
    else if (const auto* gone = std::get_if<client::Disconnected>(&event))
        spdlog::debug("connection {} is down: {}", gone->id, protocol::printable(gone->detail));
}

void log_action(const client::Action& action) {
    if (const auto* open = std::get_if<client::OpenConnection>(&action))
        spdlog::debug("connection {} opens, {}", open->id, words_for(open->purpose));
    else if (const auto* send = std::get_if<client::SendFrame>(&action))
        spdlog::debug("connection {}: {} bytes out", send->id, send->frame.size());
    else if (const auto* close = std::get_if<client::CloseConnection>(&action))
        spdlog::debug("connection {} is closed", close->id);
}

// Without addresses: whose they are would stand beside them.
void log_direct_event(const client::DirectEvent& event) {
    if (const auto* gathered = std::get_if<client::PathGathered>(&event))
        spdlog::debug("path {}: {} candidates and {} listening ports", gathered->attempt,
                      gathered->ours.candidates.size(), gathered->ours.tcp.size());
    else if (const auto* opened = std::get_if<client::StreamOpened>(&event))
        spdlog::debug("path {}: stream {} is up, {}", opened->attempt, opened->stream, name(opened->kind));
    else if (const auto* bytes = std::get_if<client::StreamBytes>(&event))
        spdlog::debug("stream {}: {} bytes in", bytes->stream, bytes->bytes.size());
    else if (const auto* closed = std::get_if<client::StreamClosed>(&event))
        spdlog::debug("stream {} is down", closed->stream);
    else if (const auto* moved = std::get_if<client::StreamMoved>(&event))
        spdlog::debug("stream {} goes by {} now", moved->stream, name(moved->kind));
}

}  // namespace sotto::cli
