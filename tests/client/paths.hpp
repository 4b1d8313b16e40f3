// Direct paths between simulated clients: who listens is found by what was described, and connections carry
// bytes in order until they are cut or fall silent.
#pragma once

#include <functional>

#include "sotto/client/engine.hpp"

namespace sotto::client::test {

class Client;
class World;

class SimPaths {
  public:
    explicit SimPaths(World& world) : world_(&world) {}

    void perform(Client& client, const DirectAction& action);
    /// Its connections break, its attempts are gone.
    void drop_all(const Client& client);
    /// All connections break, or (`silent`) go on without anything arriving.
    void cut(bool silent = false);
    /// Somebody else connects to whoever listens for this attempt, and sends this.
    void stranger(Client& client, const Bytes& bytes);

    bool reachable = true;  ///< a connection that is tried comes about
    bool describes = true;  ///< a client finds something that it can be reached by
    PathSettings last_settings;
    std::size_t gathered = 0;  ///< descriptions that were handed over
    std::size_t tried = 0;     ///< connections
    std::uint64_t bytes = 0;   ///< that arrived
    std::vector<Bytes> taps;   ///< everything that was sent, if `tap`
    bool tap = false;
    std::function<void(Bytes&)> alter;  ///< what is sent may be altered on its way
    std::int64_t bytes_a_second = 0;    ///< of each direction of a connection; 0: without a bound

    [[nodiscard]] std::size_t open() const;

  private:
    struct Attempt {
        Client* client = nullptr;
        std::uint64_t life = 0;
        AttemptId id = 0;
        std::uint16_t port = 0;
        bool kept = false;
    };
    struct End {
        Client* client = nullptr;  ///< null: a stranger
        std::uint64_t life = 0;
        AttemptId attempt = 0;
        StreamId stream = 0;
    };
    struct Line {
        End ends[2];
        bool open = true;
        bool silent = false;
        std::int64_t clear[2] = {0, 0};
    };
    void gather(Client& client, const GatherPath& gather);
    void connect(Client& client, const ConnectPath& connect);
    void send(Client& client, const SendStream& send);
    void arrive(Line& line, int to, Bytes bytes);
    void close(Line& line, int by);
    void give(const End& end, const DirectEvent& event);
    [[nodiscard]] std::pair<Line*, int> find(const Client& client, StreamId stream);
    void end_of(const Client& client, AttemptId attempt, StreamId but);

    World* world_;
    std::vector<Attempt> attempts_;
    std::vector<std::unique_ptr<Line>> lines_;
    std::uint16_t next_port_ = 1000;
    StreamId next_stream_ = 1;
};

}  // namespace sotto::client::test
