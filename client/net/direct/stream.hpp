// What the two kinds of paths have in common.
#pragma once

#include <functional>
#include <memory>

#include "sotto/client/direct_transport.hpp"

namespace sotto::client::paths {

/// One connection that came about; used on the loop's thread, but for send_now().
class Stream {
  public:
    virtual ~Stream() = default;
    /// From any thread: sends at once what can be sent without waiting, if nothing waits before it. What is
    /// left is for send(), and until that has gone too nothing else leaves this way.
    [[nodiscard]] virtual Bytes send_now(Bytes bytes) = 0;
    /// What send_now() left.
    virtual void send(Bytes bytes) = 0;
    /// Nothing more is reported of it. What it could not send at once is lost.
    virtual void close() = 0;

  protected:
    Stream() = default;
    Stream(const Stream&) = default;
    Stream& operator=(const Stream&) = default;
};

/// What a stream reports, whichever kind it is. May close streams and end attempts.
struct Reports {
    std::function<StreamId(std::shared_ptr<Stream>, PathKind, bool ours)> opened;
    /// False: nobody takes them, the stream is to be closed.
    std::function<bool(StreamId, Bytes)> bytes;
    std::function<void(StreamId)> closed;
    std::function<void(StreamId, PathKind)> moved;
};

}  // namespace sotto::client::paths
