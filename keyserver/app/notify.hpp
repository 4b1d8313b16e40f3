// What a service manager is told, where one has asked (NOTIFY_SOCKET): sd_notify(3). Without one nothing
// happens.
#pragma once

namespace sotto::keyserver {

void notify_ready();
void notify_stopping();
/// For its watchdog.
void notify_alive();

/// The configuration is read again for as long as this stands.
class Reloading {
  public:
    Reloading();
    Reloading(const Reloading&) = delete;
    Reloading& operator=(const Reloading&) = delete;
    ~Reloading();
};

}  // namespace sotto::keyserver
