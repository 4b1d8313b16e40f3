#include "keyserver/net/frames.hpp"

#include <malloc.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "sotto/crypto/secret.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::size_t kept_message = 4096;

[[nodiscard]] FrameContext make_context(const wslay_frame_callbacks& callbacks, void* user) {
    wslay_frame_context_ptr made = nullptr;
    if (wslay_frame_context_init(&made, &callbacks, user) != 0) throw std::bad_alloc{};
    return FrameContext{made};
}

/// Of a frame from a client: they are always masked.
[[nodiscard]] std::uint64_t header_size(std::uint64_t payload) {
    return payload < 126 ? 6 : (payload < 65'536 ? 8 : 14);
}

/// What a peer may name as its reason (RFC 6455 section 7.4, and those that are registered since).
[[nodiscard]] bool may_be_sent(unsigned code) {
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

[[nodiscard]] FrameReader::Frame refused(std::uint16_t code) {
    return {.kind = FrameReader::Kind::refused, .payload = {}, .code = code};
}

[[nodiscard]] FrameReader::Frame close_frame(ByteView payload) {
    FrameReader::Frame frame{.kind = FrameReader::Kind::close, .payload = {}, .code = close_code::none_given};
    if (payload.empty()) return frame;
    if (payload.size() < 2) return refused(close_code::protocol_error);
    const auto code = std::to_integer<unsigned>(payload[0]) << 8U | std::to_integer<unsigned>(payload[1]);
    if (!may_be_sent(code)) return refused(close_code::protocol_error);
    frame.code = static_cast<std::uint16_t>(code);
    return frame;
}

}  // namespace

void FreeFrameContext::operator()(wslay_frame_context* context) const noexcept {
    // One allocation of plain data, with the last bytes that were read in it.
    crypto::wipe(context, ::malloc_usable_size(context));
    wslay_frame_context_free(context);
}

// ---- what is on its way ----

struct FrameBuffers::Buffer {
    Buffer()
        : context(make_context({.send_callback = nullptr, .recv_callback = give, .genmask_callback = nullptr},
                               this)),
          fresh(::malloc_usable_size(context.get())) {
        std::memcpy(fresh.data(), context.get(), fresh.size());
    }

    /// As it was made: nothing of what was read is left in it.
    void forget() {
        std::memcpy(context.get(), fresh.data(), fresh.size());
        forget_message();
        crypto::wipe(control.data(), control.size());
        control.clear();
        given = taken = 0;
    }
    void forget_message() {
        crypto::wipe(message.data(), message.size());
        message.clear();
        handed_out = false;
    }

    static ssize_t give(std::uint8_t* to, std::size_t room, int /*flags*/, void* user) {
        auto& self = *static_cast<Buffer*>(user);
        const auto size = std::min(room, self.source.size());
        if (size == 0) return -1;
        std::memcpy(to, self.source.data(), size);
        self.source = self.source.subspan(size);
        self.given += size;
        return static_cast<ssize_t>(size);
    }

    /// Nothing has begun that has not ended.
    [[nodiscard]] bool at_rest() const {
        return given == taken && left == 0 && !fragmented && message.empty();
    }

    /// What RFC 6455 asks of the first part of a frame: 0, or the code to close with.
    [[nodiscard]] std::uint16_t begin(const wslay_frame_iocb& part, std::size_t limit) {
        if (part.rsv != 0 || part.mask == 0) return close_code::protocol_error;
        taken += header_size(part.payload_length);
        left = part.payload_length;
        if (wslay_is_ctrl_frame(part.opcode)) {
            control.clear();
            const bool known = part.opcode <= WSLAY_PONG;
            return known ? 0 : close_code::protocol_error;
        }
        if (part.opcode == WSLAY_TEXT_FRAME) return close_code::unsupported;
        if (part.opcode != (fragmented ? WSLAY_CONTINUATION_FRAME : WSLAY_BINARY_FRAME))
            return close_code::protocol_error;
        return part.payload_length > limit - std::min(limit, message.size()) ? close_code::too_big : 0;
    }

    FrameContext context;
    Bytes fresh;  ///< the context's bytes when it was made: plain data, in one allocation
    ByteView source;
    std::uint64_t given = 0;  ///< bytes that libwslay has
    std::uint64_t taken = 0;  ///< those of them that belong to frames it has handed out
    std::uint64_t left = 0;   ///< of the present frame's payload
    bool in_frame = false;
    bool fragmented = false;  ///< a message has begun, and its last frame has not
    bool handed_out = false;  ///< `message` was, and goes with the next call
    Bytes message;            ///< of what is not handed out from where it lies
    Bytes control;
};

FrameBuffers::FrameBuffers() = default;
FrameBuffers::~FrameBuffers() = default;

std::unique_ptr<FrameBuffers::Buffer> FrameBuffers::take() {
    if (spare_.empty()) return std::make_unique<Buffer>();
    auto last = std::move(spare_.back());
    spare_.pop_back();
    return last;
}

void FrameBuffers::give_back(std::unique_ptr<Buffer> buffer) {
    if (spare_.size() >= kept) return;
    buffer->forget();
    if (buffer->message.capacity() > kept_message) buffer->message = Bytes{};  // `{}` would keep the memory
    spare_.push_back(std::move(buffer));
}

// ---- reading ----

FrameReader::FrameReader() = default;
FrameReader::~FrameReader() = default;

FrameReader::Frame FrameReader::next(ByteView& bytes, std::size_t limit, FrameBuffers& buffers) {
    if (!buffer_) {
        if (bytes.empty()) return {};
        buffer_ = buffers.take();
    }
    auto& in = *buffer_;
    if (in.handed_out) in.forget_message();
    in.source = bytes;
    for (;;) {
        wslay_frame_iocb part{};
        const auto result = wslay_frame_recv(in.context.get(), &part);
        bytes = in.source;
        if (result == WSLAY_ERR_WANT_READ) {
            if (in.at_rest()) buffers.give_back(std::move(buffer_));
            return {};
        }
        if (result < 0) return refused(close_code::protocol_error);
        if (!in.in_frame) {
            if (const auto code = in.begin(part, limit); code != 0) return refused(code);
            in.in_frame = true;
        }
        in.left -= part.data_length;
        in.taken += part.data_length;
        const ByteView data{reinterpret_cast<const std::byte*>(part.data), part.data_length};
        const bool whole = in.left == 0;
        in.in_frame = !whole;
        if (wslay_is_ctrl_frame(part.opcode)) {
            in.control.insert(in.control.end(), data.begin(), data.end());
            if (!whole) continue;
            if (part.opcode == WSLAY_CONNECTION_CLOSE) return close_frame(in.control);
            return {.kind = part.opcode == WSLAY_PING ? Kind::ping : Kind::pong, .payload = in.control};
        }
        const bool last = whole && part.fin != 0;
        if (last && !in.fragmented && in.message.empty()) return {.kind = Kind::message, .payload = data};
        in.message.insert(in.message.end(), data.begin(), data.end());
        if (whole) in.fragmented = !last;
        if (!last) continue;
        in.handed_out = true;
        return {.kind = Kind::message, .payload = in.message};
    }
}

// ---- writing ----

FrameWriter::FrameWriter()
    : bytes_(std::make_unique<std::string>()),
      context_(make_context({.send_callback = [](const std::uint8_t* data, std::size_t size, int /*flags*/,
                                                 void* user) -> ssize_t {
                                 static_cast<std::string*>(user)->append(reinterpret_cast<const char*>(data),
                                                                         size);
                                 return static_cast<ssize_t>(size);
                             },
                             .recv_callback = nullptr,
                             .genmask_callback = nullptr},
                            bytes_.get())) {}

void FrameWriter::put(std::uint8_t opcode, std::string_view head, std::string_view rest) {
    for (const auto part : {head, rest}) {
        wslay_frame_iocb frame{.fin = 1,
                               .rsv = 0,
                               .opcode = opcode,
                               .payload_length = head.size() + rest.size(),
                               .mask = 0,
                               .data = reinterpret_cast<const std::uint8_t*>(part.data()),
                               .data_length = part.size()};
        // Its only failure is a control frame of more than 125 bytes, and nobody makes one.
        if (wslay_frame_send(context_.get(), &frame) < 0) std::abort();
        if (rest.empty()) break;
    }
}

void FrameWriter::close(std::uint16_t code) {
    if (code == close_code::none_given) return put(0x8, {}, {});
    const char payload[] = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
    put(0x8, {payload, sizeof payload}, {});
}

void FrameWriter::clear() {
    crypto::wipe(bytes_->data(), bytes_->size());
    if (bytes_->capacity() > kept)
        *bytes_ = {};
    else
        bytes_->clear();
}

}  // namespace sotto::keyserver
