// Our shared token replaced: who knew the old one can no longer write to us. docs/protocol.md section 13.10.
#pragma once

#include "outbox.hpp"

namespace sotto::client {

/// Stands before the transaction that it belongs to. The new token is in use from here on; without
/// `committed` the old one is again.
class Rotation {
  public:
    Rotation(Core& core, Outbox& outbox);
    Rotation(const Rotation&) = delete;
    Rotation& operator=(const Rotation&) = delete;
    ~Rotation();

    /// In the transaction: everybody who isn't blocked, `except` this one, is to be told.
    void write(std::int64_t except = 0);
    void committed();

  private:
    struct Announced {
        std::int64_t contact = 0;
        storage::MessageId id{};
    };
    Core* core_;
    Outbox* outbox_;
    crypto::Token other_;
    std::vector<Announced> announced_;
    bool committed_ = false;
};

}  // namespace sotto::client
