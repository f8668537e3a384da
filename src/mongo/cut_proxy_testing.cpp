#include "mongo/cut_proxy_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace holdfast::mongo {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<CutProxy>> CutProxy::start(std::uint16_t target_port) {
  std::unique_ptr<CutProxy> proxy(new CutProxy());
  proxy->target_port_ = target_port;
  proxy->listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(proxy->listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(proxy->listener_, 64) != 0 ||
      ::getsockname(proxy->listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Error(ErrorCode::io, "the cutting proxy cannot listen");
  }
  proxy->port_ = ntohs(address.sin_port);
  proxy->thread_ =
      std::jthread([raw = proxy.get()](const std::stop_token& stop) { raw->serve(stop); });
  return proxy;
}

CutProxy::~CutProxy() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  for (Pair& pair : pairs_) close_pair(pair);
  if (listener_ >= 0) ::close(listener_);
}

void CutProxy::cut() {
  const std::uint64_t before = cuts_;
  cut_now_ = true;
  // Cutting is done by the serving thread; wait for it, so that the caller's next use is cut off.
  for (int turn = 0; turn < 400 && cut_now_; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  (void)before;
}

void CutProxy::refuse(bool on) {
  refuse_ = on;
  if (on) cut();
}

void CutProxy::close_pair(Pair& pair) {
  if (pair.client >= 0) ::close(pair.client);
  if (pair.server >= 0) ::close(pair.server);
  pair = {};
}

void CutProxy::accept_one() {
  Pair pair;
  pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (pair.client < 0) return;
  if (!refuse_) pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target_port_);
  if (refuse_ ||
      ::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close_pair(pair);
    return;
  }
  const int on = 1;
  ::setsockopt(pair.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  pairs_.push_back(pair);
}

bool CutProxy::pump(int from, int to, std::atomic<std::uint64_t>& total,
                    std::atomic<std::uint64_t>& left) {
  static thread_local std::array<char, std::size_t{64} * 1024> buffer;
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  std::size_t size = static_cast<std::size_t>(got);
  bool cut = false;
  if (const std::uint64_t allowed = left; allowed != 0) {
    cut = size >= allowed;
    if (cut) size = static_cast<std::size_t>(allowed) - 1;
    left = cut ? 0 : allowed - size;
  }
  total += size;
  if (cut) ++cuts_;
  return send_all(to, buffer.data(), size) && !cut;
}

void CutProxy::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> polled{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      polled.push_back({pair.client, POLLIN, 0});
      polled.push_back({pair.server, POLLIN, 0});
    }
    ::poll(polled.data(), polled.size(), 20);
    if (cut_now_) {
      for (Pair& pair : pairs_) close_pair(pair);
      cuts_ += pairs_.size();
      pairs_.clear();
      cut_now_ = false;
      continue;
    }
    for (std::size_t at = 0; at < pairs_.size(); ++at) {
      Pair& pair = pairs_[at];
      const bool up = (polled[1 + 2 * at].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
      const bool down = (polled[2 + 2 * at].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
      const bool alive = (!up || pump(pair.client, pair.server, to_server_, to_server_left_)) &&
                         (!down || pump(pair.server, pair.client, from_server_, from_server_left_));
      if (!alive) close_pair(pair);
    }
    std::erase_if(pairs_, [](const Pair& pair) { return pair.client < 0; });
    if ((polled[0].revents & POLLIN) != 0) accept_one();
  }
}

}  // namespace holdfast::mongo
