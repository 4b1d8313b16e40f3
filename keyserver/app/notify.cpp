#include "keyserver/app/notify.hpp"

#include <systemd/sd-daemon.h>

namespace sotto::keyserver {
namespace {

/// Who can't be told goes without.
void tell(const char* state) {
    static_cast<void>(sd_notify(0, state));
}

}  // namespace

void notify_ready() {
    tell("READY=1");
}
void notify_stopping() {
    tell("STOPPING=1");
}
void notify_alive() {
    tell("WATCHDOG=1");
}

Reloading::Reloading() {
    tell("RELOADING=1");
}
Reloading::~Reloading() {
    tell("READY=1");
}

}  // namespace sotto::keyserver
