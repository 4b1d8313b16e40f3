// WebSocket frames (RFC 6455 section 5) without a socket: bytes in, messages out, and the other way round.
// libwslay reads and writes the frames; what may follow what, and how large it may be, is decided here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sotto/crypto/bytes.hpp"

struct wslay_frame_context;

namespace sotto::keyserver {

/// RFC 6455 section 7.4.1.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported = 1003;
inline constexpr std::uint16_t none_given = 1005;  ///< never on the wire
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t too_big = 1009;
}  // namespace close_code

struct FreeFrameContext {
    void operator()(wslay_frame_context* context) const noexcept;
};
using FrameContext = std::unique_ptr<wslay_frame_context, FreeFrameContext>;

/// Lent to readers while a message is on its way, 4 KiB each; one thread's.
class FrameBuffers {
  public:
    struct Buffer;

    FrameBuffers();
    FrameBuffers(const FrameBuffers&) = delete;
    FrameBuffers& operator=(const FrameBuffers&) = delete;
    ~FrameBuffers();

    [[nodiscard]] std::unique_ptr<Buffer> take();
    void give_back(std::unique_ptr<Buffer> buffer);

  private:
    static constexpr std::size_t kept = 16;
    std::vector<std::unique_ptr<Buffer>> spare_;
};

/// A client's side of one connection. Between messages it holds no memory.
class FrameReader {
  public:
    enum class Kind : std::uint8_t {
        nothing,  ///< all was taken, and more has to come
        message,  ///< a whole binary message, however many frames it came in
        ping,
        pong,
        close,   ///< `code` is to be sent back
        refused  ///< `code` is to be sent; nothing that follows means anything
    };
    struct Frame {
        Kind kind = Kind::nothing;
        ByteView payload;  ///< until the next call
        std::uint16_t code = close_code::none_given;
    };

    FrameReader();
    FrameReader(const FrameReader&) = delete;
    FrameReader& operator=(const FrameReader&) = delete;
    ~FrameReader();

    /// Takes from the front of `bytes` what the next frame needs, or more, which it remembers: called until
    /// there is nothing. Messages of more than `limit` bytes are refused by what their frames announce.
    [[nodiscard]] Frame next(ByteView& bytes, std::size_t limit, FrameBuffers& buffers);
    /// What has come ends inside a message or a frame. Meant for after `nothing`.
    [[nodiscard]] bool inside() const { return buffer_ != nullptr; }

  private:
    std::unique_ptr<FrameBuffers::Buffer> buffer_;  ///< none between messages
};

/// Puts frames behind one another; one for many connections.
class FrameWriter {
  public:
    FrameWriter();

    void message(std::string_view head, std::string_view rest) { put(0x2, head, rest); }
    void ping() { put(0x9, {}, {}); }
    void pong(std::string_view payload) { put(0xa, payload, {}); }
    void close(std::uint16_t code);

    [[nodiscard]] std::string_view bytes() const { return *bytes_; }
    void clear();

  private:
    static constexpr std::size_t kept = 128UL * 1024;
    void put(std::uint8_t opcode, std::string_view head, std::string_view rest);

    std::unique_ptr<std::string> bytes_;  ///< where libwslay can find it
    FrameContext context_;
};

}  // namespace sotto::keyserver
