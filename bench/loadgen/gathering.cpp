#include "bench/loadgen/gathering.hpp"

#include <bit>
#include <cstring>
#include <span>

#include "bench/loadgen/problem.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::size_t blob_size = 52;
constexpr std::size_t smallest_batch = 8;

template <class Add>
void in_frames(const std::vector<std::string>& topics, const Add& add) {
    for (std::size_t at = 0; at < topics.size(); at += protocol::max_topics_per_frame)
        add(std::span{topics}.subspan(at, std::min(protocol::max_topics_per_frame, topics.size() - at)));
}

}  // namespace

std::string topic_of(std::uint32_t from, std::uint32_t to) {
    std::string out(protocol::topic_size, 't');
    std::memcpy(out.data(), &from, sizeof from);
    std::memcpy(out.data() + sizeof from, &to, sizeof to);
    return out;
}

std::string blob_of(std::uint64_t number) {
    std::string out(blob_size, 'b');
    std::memcpy(out.data(), &number, sizeof number);
    return out;
}

std::uint64_t number_in(std::string_view blob) {
    std::uint64_t number = 0;
    if (blob.size() >= sizeof number) std::memcpy(&number, blob.data(), sizeof number);
    return number;
}

std::size_t padded(std::size_t topics) {
    return std::bit_ceil(std::max(topics, smallest_batch));
}

Gathering::Gathering(Worker& worker, std::size_t people) : worker_(worker) {
    for (std::size_t i = 0; i < people; ++i)
        peers_.push_back(std::make_unique<Peer>(worker, i, nullptr, *this));
}

void Gathering::connect(std::size_t parallel) {
    Muster{worker_, parallel, nullptr}.run(all_of(peers_), Peer::As::presence);
    for (const auto& peer : peers_) peer->come_back(false);
}

void Gathering::publish(std::size_t person, const std::vector<std::string>& topics, std::uint64_t number) {
    in_frames(topics, [&](std::span<const std::string> part) {
        wire::Request request;
        for (const auto& topic : part) {
            auto& post = *request.mutable_publish_presence()->add_posts();
            post.set_topic(topic);
            post.set_write_key(std::string(protocol::topic_write_key_size, 'w'));
            post.set_blob(blob_of(number));
        }
        ++unanswered_;
        peer(person).send(request);
    });
}

void Gathering::watch(std::size_t person, const std::vector<std::string>& topics) {
    in_frames(topics, [&](std::span<const std::string> part) {
        wire::Request request;
        for (const auto& topic : part) request.mutable_watch_presence()->add_topics(topic);
        ++unanswered_;
        peer(person).send(request);
    });
}

bool Gathering::wait(const std::function<bool()>& done) {
    const bool moved =
        run_while_it_moves(worker_, [&] { return done() || refused_; }, [&] { return told + answers_; });
    if (refused_) throw Problem(Exit::server, "The server refused what was asked of it: " + *refused_ + ".");
    return moved;
}

void Gathering::wait_for_answers() {
    if (!wait([this] { return unanswered_ == 0; }))
        throw Problem(Exit::server, "The server doesn't answer what is asked about presence.");
}

void Gathering::leave(std::size_t person) {
    gone_ = false;
    peer(person).leave();
    if (!wait([this] { return gone_; })) throw Problem(Exit::server, "The server doesn't let a client go.");
}

void Gathering::come(std::size_t person) {
    peer(person).open(Peer::As::presence);
    if (!wait([&] { return peer(person).ready(); }))
        throw Problem(Exit::server, "The server doesn't take a client back.");
}

void Gathering::on_reply(Peer& peer, const wire::Reply& reply) {
    if (reply.id() != 0) {
        if (reply.has_failure()) refused_ = name_of(reply.failure().code());
        if (reply.has_posted() && reply.posted().refused_size() > 0) refused_ = "posts";
        --unanswered_;
        ++answers_;
        return;
    }
    for (const auto& presence : reply.presences().presences()) {
        ++told;
        if (on_told) on_told(peer.number(), number_in(presence.blob()));
    }
}

void Gathering::on_lost(Peer& /*peer*/, const std::string& why) {
    worker_.note(why);
    refused_ = why;
}

void Gathering::on_refused(Peer& /*peer*/, const std::string& why) {
    refused_ = why;
}

void Gathering::on_left(Peer& /*peer*/) {
    gone_ = true;
}

}  // namespace sotto::loadgen
