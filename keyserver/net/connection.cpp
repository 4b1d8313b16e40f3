#include "keyserver/net/connection.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace sotto::keyserver {
namespace {

using Error = TlsStream::Error;
using State = TlsStream::State;

constexpr std::uint32_t closing_retry_ms = 2000;
constexpr std::size_t write_at_once = 16UL * 1024;  ///< what one TLS record holds
constexpr int reads_a_turn = 4;                     ///< then others have theirs
constexpr std::size_t kept_frames = 4;              ///< of a queue that is empty

}  // namespace

Connection::Connection(Shard& shard, ConnectionId id, Gate::Source source, TlsStream::Socket socket,
                       ssl_ctx_st* tls)
    : shard_(shard),
      id_(id),
      source_(source),
      stream_(std::move(socket), tls),
      deadlines_(shard.patience(), shard.now()) {}

void Connection::start() {
    schedule();
    shake_hands();
}

void Connection::shake_hands() {
    if (gone_) return;
    const auto again = [self = shared_from_this()](Error error) {
        if (error) return self->drop();
        self->shake_hands();
    };
    switch (stream_.accept().state) {
        case State::done:
            count(shard_.counters().handshakes);
            shard_.service().counters.took_since(Latency::handshake, begun_us_);
            return upgrade(stream_, [self = shared_from_this()](std::optional<Upgraded> outcome) {
                self->opened(std::move(outcome));
            });
        case State::want_read:
            return stream_.socket().async_wait(TlsStream::Socket::wait_read, again);
        case State::want_write:
            return stream_.socket().async_wait(TlsStream::Socket::wait_write, again);
        default:
            return drop();
    }
}

void Connection::opened(std::optional<Upgraded> outcome) {
    if (gone_) return;
    if (!outcome) return linger();
    shard_.service().counters.add(Count::websockets);
    const bool identified = outcome->purpose == Purpose::identified;
    session_ = std::make_unique<Session>(shard_.service(), id_, outcome->purpose, stream_.exporter());
    deadlines_.opened(now(), identified);
    schedule();
    session_->begin();
    if (take_in(bytes_of(outcome->rest))) read_on();
}

// ---- coming ----

void Connection::wait_to_read() {
    if (gone_ || reading_) return;
    reading_ = true;
    stream_.socket().async_wait(TlsStream::Socket::wait_read, [self = shared_from_this()](Error error) {
        self->reading_ = false;
        if (error) return self->leave();
        self->read();
    });
}

void Connection::read() {
    for (int i = 0; i < reads_a_turn && !gone_; ++i) {
        const auto moved = stream_.read(shard_.scratch());
        if (moved.state == State::want_read) return wait_to_read();
        if (moved.state == State::want_write) {
            // A key update that can't be answered yet.
            reading_ = true;
            return stream_.socket().async_wait(TlsStream::Socket::wait_write,
                                               [self = shared_from_this()](Error error) {
                                                   self->reading_ = false;
                                                   if (error) return self->leave();
                                                   self->read();
                                               });
        }
        if (moved.state != State::done) return leave();
        deadlines_.heard(now());
        const auto read = shard_.scratch().first(moved.size);
        const bool more = take_in(read);
        crypto::wipe(read.data(), read.size());
        if (!more) return;
        if (!stream_.has_pending()) return wait_to_read();
    }
    if (gone_) return;
    reading_ = true;
    boost::asio::post(stream_.get_executor(), [self = shared_from_this()] {
        self->reading_ = false;
        if (!self->gone_) self->read();
    });
}

void Connection::read_on() {
    if (stream_.has_pending())
        read();
    else
        wait_to_read();
}

bool Connection::take_in(ByteView bytes) {
    while (!gone_ && !deaf_) {
        if (!may_read() && !closing_) {
            unread_.assign(bytes.begin(), bytes.end());
            deadlines_.inside_message(false, now());
            return false;
        }
        const auto frame = reader_.next(bytes, session_->frame_limit(), shard_.buffers());
        if (!take(frame)) {
            deadlines_.inside_message(reader_.inside(), now());
            if (reader_.inside()) schedule();
            return true;
        }
    }
    return !gone_;
}

/// False where nothing more was there to take.
bool Connection::take(const FrameReader::Frame& frame) {
    using Kind = FrameReader::Kind;
    switch (frame.kind) {
        case Kind::message:
            deadlines_.inside_message(false, now());
            if (!closing_) session_->receive(frame.payload);
            return true;
        case Kind::ping:
            if (session_->may_ping()) return pong(frame.payload);
            deaf_ = true;
            close(close_code::policy_violation);
            return false;
        case Kind::pong:
            return true;
        case Kind::close:
            peer_closed_ = true;
            [[fallthrough]];
        case Kind::refused:
            if (frame.code == close_code::too_big) shard_.service().counters.add(Count::limit_frame_size);
            deaf_ = true;
            close(frame.code);
            return false;
        case Kind::nothing:
            break;
    }
    return false;
}

/// Only the newest of several pings need be answered (RFC 6455 section 5.5.3).
bool Connection::pong(ByteView payload) {
    if (!outbound_.empty() && outbound_.back().kind == Queued::Kind::pong) {
        queued_bytes_ -= outbound_.back().frame.size();
        outbound_.pop_back();
    }
    queue(Queued::Kind::pong, std::string{chars_of(payload)});
    return true;
}

// ---- going ----

void Connection::apply(Shard::Effect effect) {
    if (gone_) return;
    std::visit([this](auto& what) { on(what); }, effect);
}

void Connection::on(Shard::Reply& reply) {
    if (!session_) return;
    const bool was_saturated = !may_read();
    session_->answered();
    queue(Queued::Kind::message, std::move(reply.frame), reply.later ? When::later : When::this_turn);
    if (!was_saturated || !may_read() || reading_ || gone_) return;
    const auto rest = std::exchange(unread_, {});
    if (take_in(rest)) read_on();
}

void Connection::on(Shard::Push& push) {
    queue(Queued::Kind::message, std::move(push.frame));
}

void Connection::on(Shard::Close& /*close*/) {
    close(close_code::normal);
}

void Connection::on(Shard::Resume& step) {
    if (session_ && !closing_) step(*session_);
}

void Connection::queue(Queued::Kind kind, Outgoing frame, When when) {
    if (closing_ || gone_) return;
    if (kind == Queued::Kind::message) {
        shard_.service().counters.add(Count::frames_out);
        shard_.service().counters.add(Count::bytes_out, frame.size());
    }
    queued_bytes_ += frame.size();
    outbound_.push_back({.kind = kind, .frame = std::move(frame)});
    // Before all else: the write under way may be one that never ends.
    const auto& limits = shard_.service().policy->limits;
    if (queued_bytes_ > limits.outbound_bytes || outbound_.size() > limits.outbound_frames) {
        count(shard_.counters().overflowed);
        return drop();
    }
    if (when == When::this_turn) return mark();
    if (!marked_ && !std::exchange(held_, true)) shard_.mark_later(shared_from_this());
}

void Connection::mark() {
    if (std::exchange(marked_, true)) return;
    shard_.mark(shared_from_this());
}

void Connection::release() {
    held_ = false;
    if (!gone_ && !outbound_.empty()) flush();
}

void Connection::flush() {
    marked_ = false;
    auto& writer = shard_.writer();
    std::size_t taken = 0;
    while (!gone_ && unsent_.empty() && taken < outbound_.size()) {
        writer.clear();
        for (; taken < outbound_.size() && writer.bytes().size() < write_at_once; ++taken) {
            const auto& [kind, frame] = outbound_[taken];
            queued_bytes_ -= frame.size();
            if (kind == Queued::Kind::message)
                writer.message(frame.head, frame.rest ? std::string_view{*frame.rest} : std::string_view{});
            else if (kind == Queued::Kind::ping)
                writer.ping();
            else
                writer.pong(frame.head);
        }
        write(bytes_of(writer.bytes()));
    }
    if (gone_) return;
    if (taken < outbound_.size())
        outbound_.erase(outbound_.begin(), outbound_.begin() + static_cast<std::ptrdiff_t>(taken));
    else if (outbound_.capacity() <= kept_frames)
        outbound_.clear();
    else
        outbound_ = std::vector<Queued>{};  // little memory for who has nothing to hear
    if (!closing_ || !unsent_.empty() || !outbound_.empty()) return;
    if (!close_sent_) {
        close_sent_ = true;
        if (!reading_) read_on();  // it was told to wait, and now its answer counts
        if (gone_) return;
        writer.clear();
        writer.close(close_code_);
        if (!write(bytes_of(writer.bytes()))) return;
    }
    if (peer_closed_) {
        stream_.shut_down();
        leave();
    }
}

bool Connection::write(ByteView bytes) {
    while (!bytes.empty()) {
        const auto moved = stream_.write(bytes);
        if (moved.state == State::done) {
            bytes = bytes.subspan(moved.size);
        } else if (moved.state == State::want_write) {
            unsent_.assign(bytes.begin(), bytes.end());
            queued_bytes_ += unsent_.size();
            deadlines_.blocked(true, now());
            schedule();
            wait_to_write();
            return false;
        } else {
            drop();
            return false;
        }
    }
    return true;
}

void Connection::wait_to_write() {
    stream_.socket().async_wait(TlsStream::Socket::wait_write, [self = shared_from_this()](Error error) {
        if (error) return self->leave();
        if (!self->gone_) self->write_rest();
    });
}

void Connection::write_rest() {
    const auto rest = std::exchange(unsent_, {});
    queued_bytes_ -= rest.size();
    if (!write(rest)) return;
    deadlines_.blocked(false, now());
    flush();
}

// ---- ending ----

void Connection::close(std::uint16_t code) {
    if (gone_) return;
    if (!closing_) {
        closing_ = true;
        close_code_ = code;
        deadlines_.closing(now());
        schedule();
    }
    mark();
}

void Connection::retire() {
    if (gone_) return;
    if (!session_) return drop();
    queue(Queued::Kind::message, closing_frame(closing_retry_ms));
    close(close_code::going_away);
}

/// Closes in such a way that what was written last still arrives: not before the peer has closed, too.
void Connection::linger() {
    deaf_ = true;
    closing_ = true;
    deadlines_.closing(now());
    schedule();
    stream_.end_writing();
    read();
}

void Connection::drop() {
    if (gone_) return;
    stream_.close();
    leave();
}

/// Once: the session ends here, and the shard forgets this connection.
void Connection::leave() {
    if (gone_) return;
    const auto self = shared_from_this();
    gone_ = true;
    stream_.close();
    TimerWheel::cancel(*this);
    session_.reset();
    shard_.remove(id_, source_);
}

// ---- time ----

void Connection::schedule() {
    if (!gone_) shard_.schedule(*this, deadlines_.next());
}

void Connection::due() {
    if (session_ && session_->settled()) deadlines_.logged_in();
    if (const auto late = deadlines_.late(now())) {
        count(shard_.counters().late.at(static_cast<std::size_t>(*late)));
        return drop();
    }
    if (deadlines_.take_ping(now())) queue(Queued::Kind::ping, std::string{});
    schedule();
}

}  // namespace sotto::keyserver
