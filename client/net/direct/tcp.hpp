// Plain TCP between devices on the same network: each side listens while an attempt lasts, and each connects
// to where the other listens, as far as that is reached without a router.
#pragma once

#include <memory>
#include <vector>

#include "glib.hpp"
#include "interfaces.hpp"
#include "stream.hpp"

namespace sotto::client::paths {

class TcpSide {
  public:
    /// Listens at once, at every address that others on the same network may know.
    TcpSide(const PathSettings& settings, Reports reports);
    TcpSide(const TcpSide&) = delete;
    TcpSide& operator=(const TcpSide&) = delete;
    ~TcpSide();

    [[nodiscard]] const std::vector<TcpEndpoint>& listening() const { return listening_; }
    void connect(const std::vector<TcpEndpoint>& theirs);
    /// No more connections in either direction; those that stand go on.
    void stop();

  private:
    std::vector<Network> networks_;
    std::shared_ptr<Reports> reports_;
    Ref<GSocketService> service_;
    Ref<GCancellable> cancel_;
    std::vector<TcpEndpoint> listening_;
    int accepted_ = 0;                                     ///< in all
    std::shared_ptr<int> slot_ = std::make_shared<int>();  ///< held by each accepted stream while it lasts
};

}  // namespace sotto::client::paths
