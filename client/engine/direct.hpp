// Direct sessions: offers and answers inside the session, streams that prove themselves, and the one that is
// used, until it falls silent. Whatever it does not bring over goes by the server. docs/protocol.md section
// 16.
#pragma once

#include "inbox.hpp"
#include "paths.hpp"
#include "presence.hpp"
#include "sotto/client/direct.hpp"
#include "sotto/crypto/direct.hpp"
#include "sotto/direct.pb.h"

namespace sotto::client {

class Direct final : public DirectPaths {
  public:
    Direct(Core& core, Outbox& outbox, Inbox& inbox, Presence& presence)
        : core_(&core), outbox_(&outbox), inbox_(&inbox), presence_(&presence) {}

    /// From now on there is a transport.
    void start();
    /// The other sides are told.
    void stop();
    [[nodiscard]] bool active() const { return active_; }
    [[nodiscard]] DirectPolicy policy() const { return policy_; }
    void set_policy(DirectPolicy policy);
    void set_upnp(bool yes);
    [[nodiscard]] std::optional<Error> set_choice(std::int64_t contact, storage::DirectChoice choice);
    /// A path to this contact is worth having, if it may be made.
    void want(std::int64_t contact);
    /// A person asks for one, now.
    [[nodiscard]] std::optional<Error> attempt(std::int64_t contact);
    [[nodiscard]] DirectView view(std::int64_t contact) const;

    void handle(DirectEvent event);
    /// Something about contacts may have changed: paths to those who may no longer have one end.
    void note() { recheck_at_ = core_->shell.now; }
    /// The same, a moment later: for what happens often.
    void note_soon();
    /// Nothing can be committed: all paths end, and what was on them goes by the server.
    void fail();
    void pump();
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

    [[nodiscard]] std::optional<std::uint32_t> device(std::int64_t contact) const override;
    void deliver(std::int64_t contact, const storage::EnvelopeId& id, ByteView envelope,
                 std::function<void(bool)> answered) override;
    void signalled(std::int64_t contact, std::uint32_t device, Received::Direct signal, bool old) override;
    [[nodiscard]] bool allowed(const storage::Contact& contact) const override;

  private:
    struct Stream {
        std::optional<crypto::DirectStream> secure;  ///< once the key is known
        PathKind kind = PathKind::tcp;
        bool ours = false;
        Bytes early;  ///< what came before the key
    };
    struct Attempt {
        enum class Phase : std::uint8_t { gathering, offered, connecting, open };
        AttemptId id = 0;
        std::int64_t contact = 0;
        std::uint32_t device = 0;
        crypto::DirectRole role = crypto::DirectRole::offerer;
        crypto::DirectAttempt name{};
        crypto::DirectSecret own;
        Phase phase = Phase::gathering;
        std::int64_t deadline = 0;              ///< of the phase; not of `open`
        std::optional<Received::Direct> offer;  ///< theirs, until it is answered
        bool asked = false;                     ///< by a person
        bool signalled = false;                 ///< ours is, or was, …
        storage::MessageId signal{};            ///< … this in the outbox
        std::optional<crypto::DirectKey> key;
        std::map<StreamId, Stream> streams;
        StreamId chosen = 0;
        std::int64_t opened_at = 0;
        std::int64_t heard_at = 0;
        std::int64_t spoke_at = 0;
        std::int64_t ponged_at = 0;
        std::int64_t used_at = 0;  ///< an envelope went either way
        /// What waits to be committed there, since the last of it was, or since it began to wait.
        std::map<storage::EnvelopeId, std::function<void(bool)>> pending;
        std::int64_t awaited_since = 0;
    };
    struct Person {
        std::int64_t wanted_until = 0;
        std::int64_t not_before = 0;
        std::int64_t answer_from = 0;  ///< the next offer of theirs is looked at from then on
        Backoff backoff;
    };
    /// When to try again by ourselves.
    enum class Again : std::uint8_t { no, soon, later };

    void begin(const storage::Contact& contact, std::uint32_t device, bool asked);
    Attempt& add(std::int64_t contact, std::uint32_t device, crypto::DirectRole role);
    void answer(const storage::Contact& contact, std::uint32_t device, Received::Direct offer);
    void answered(Attempt& attempt, const Received::Direct& answer);
    void send_signal(Attempt& attempt, storage::Contact& contact, const PathDescription& ours);
    void connect(Attempt& attempt, const crypto::DirectSecret& offered, const crypto::DirectSecret& answered,
                 PathDescription theirs);

    void on(const PathGathered& gathered);
    void on(const StreamOpened& opened);
    void on(StreamBytes& bytes);
    void on(const StreamClosed& closed);
    void on(const StreamMoved& moved);
    void secure(Attempt& attempt, StreamId id);
    void feed(AttemptId id, StreamId stream, ByteView bytes);
    /// False: the stream is over, or the whole attempt.
    [[nodiscard]] bool take(Attempt& attempt, StreamId stream, ByteView frame, direct::Committed& committed);
    [[nodiscard]] bool take_body(Attempt& attempt, const direct::Frame& frame, direct::Committed& committed);
    void choose(Attempt& attempt, StreamId stream);
    void send(Attempt& attempt, const direct::Frame& frame);
    void drop_stream(Attempt& attempt, StreamId stream);
    void end(AttemptId id, Again again);
    /// Ends it, and tells the other side if they hear us.
    void leave(Attempt& attempt);
    void tell(const Attempt& attempt);
    void recheck();
    void tick(Attempt& attempt);
    /// When an open path counts as dead, unless something is heard.
    [[nodiscard]] static std::int64_t dead_at(const Attempt& attempt);

    /// Their status says that they do.
    [[nodiscard]] bool takes_offers(std::int64_t contact) const;
    [[nodiscard]] Attempt* find(AttemptId id);
    [[nodiscard]] Attempt* of_stream(StreamId stream);
    [[nodiscard]] Attempt* of_contact(std::int64_t contact);
    [[nodiscard]] const Attempt* of_contact(std::int64_t contact) const;
    [[nodiscard]] std::vector<AttemptId> all() const;
    [[nodiscard]] PathSettings settings() const;

    Core* core_;
    Outbox* outbox_;
    Inbox* inbox_;
    Presence* presence_;
    bool active_ = false;
    std::optional<std::int64_t> recheck_at_;
    DirectPolicy policy_ = DirectPolicy::verified;
    bool upnp_ = false;
    AttemptId last_id_ = 0;
    std::map<AttemptId, Attempt> attempts_;  ///< at most one a contact
    std::map<std::int64_t, Person> people_;
};

/// As the store says it; the default where it says nothing.
[[nodiscard]] DirectPolicy direct_policy(storage::ClientStore& store);
[[nodiscard]] bool direct_upnp(storage::ClientStore& store);

}  // namespace sotto::client
