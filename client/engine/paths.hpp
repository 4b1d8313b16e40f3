// What the rest of the engine asks of direct sessions.
#pragma once

#include "content.hpp"

namespace sotto::client {

class DirectPaths {
  public:
    virtual ~DirectPaths() = default;

    /// The device at the other end of an open path to this contact.
    [[nodiscard]] virtual std::optional<std::uint32_t> device(std::int64_t contact) const = 0;
    /// Sends an envelope on the open path. `answered` is called once: committed there, or the path went
    /// first.
    virtual void deliver(std::int64_t contact, const storage::EnvelopeId& id, ByteView envelope,
                         std::function<void(bool committed)> answered) = 0;
    /// A contact's device has offered, or answered; committed. `old`: it had waited in the mailbox.
    virtual void signalled(std::int64_t contact, std::uint32_t device, Received::Direct signal, bool old) = 0;
    /// This contact may learn our address.
    [[nodiscard]] virtual bool allowed(const storage::Contact& contact) const = 0;

  protected:
    DirectPaths() = default;
    DirectPaths(const DirectPaths&) = default;
    DirectPaths& operator=(const DirectPaths&) = default;
};

}  // namespace sotto::client
