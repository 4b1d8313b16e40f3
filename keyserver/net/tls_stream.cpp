#include "keyserver/net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sotto/protocol/limits.hpp"

namespace sotto::keyserver {

void TlsStream::Free::operator()(ssl_st* ssl) const noexcept {
    SSL_free(ssl);
}

TlsStream::TlsStream(Socket socket, ssl_ctx_st* context)
    : socket_(std::move(socket)), ssl_(SSL_new(context)) {
    Error ignored;
    socket_.non_blocking(true, ignored);
    if (ssl_ && SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) ssl_.reset();
    ERR_clear_error();
    if (ssl_) SSL_set_accept_state(ssl_.get());
}

TlsStream::Moved TlsStream::outcome(int result, std::size_t size) const {
    if (result > 0) return {.state = State::done, .size = size};
    const int why = SSL_get_error(ssl_.get(), result);
    // The thread's queue of errors has to be empty before the next call, whichever connection that is for.
    ERR_clear_error();
    switch (why) {
        case SSL_ERROR_WANT_READ:
            return {.state = State::want_read};
        case SSL_ERROR_WANT_WRITE:
            return {.state = State::want_write};
        case SSL_ERROR_ZERO_RETURN:
            return {.state = State::closed};
        default:
            return {.state = State::failed};
    }
}

TlsStream::Moved TlsStream::accept() {
    if (!ssl_) return {};
    return outcome(SSL_accept(ssl_.get()), 0);
}

TlsStream::Moved TlsStream::read(std::span<std::byte> into) {
    if (!ssl_) return {};
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
    return outcome(result, size);
}

TlsStream::Moved TlsStream::write(ByteView bytes) {
    if (!ssl_) return {};
    std::size_t size = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
    return outcome(result, size);
}

void TlsStream::end_writing() {
    if (ssl_ && socket_.is_open() && SSL_is_init_finished(ssl_.get()) == 1) {
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void TlsStream::shut_down() {
    end_writing();
    close();
}

void TlsStream::close() {
    Error ignored;
    socket_.close(ignored);
}

bool TlsStream::has_pending() const {
    return ssl_ && SSL_has_pending(ssl_.get()) == 1;
}

std::optional<Array<32>> TlsStream::exporter() const {
    std::optional<Array<32>> out{std::in_place};
    constexpr std::string_view label = protocol::exporter_label;
    if (!ssl_ || SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(out->data()),
                                            out->size(), label.data(), label.size(), nullptr, 0, 0) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    return out;
}

}  // namespace sotto::keyserver
