// The programmable HTTP server of the tests: sockets, polled every 10 ms so that it can be stopped.
#include "tests/support/responder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace ts_test {
namespace {

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 10) > 0;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Responder::Responder(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("responder: no socket on loopback");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

Responder::~Responder() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::vector<Request> Responder::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void Responder::accept_loop() {
  while (!stopping_) {
    if (!readable(listener_)) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (drops_ > 0) {
      --drops_;
      ::close(fd);
      continue;
    }
    threads_.emplace_back([this, fd] {
      serve(fd);
      ::close(fd);
    });
  }
}

bool Responder::read_more(int fd, std::string& buffer) {
  char bytes[65536];
  while (!stopping_) {
    if (!readable(fd)) continue;
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  return false;
}

std::optional<Request> Responder::read_request(int fd, std::string& buffer) {
  std::size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(fd, buffer) || buffer[0] < 'A' || buffer[0] > 'Z') return std::nullopt;  // no HTTP: a TLS handshake
  }
  Request request;
  std::size_t line = buffer.find("\r\n");
  const std::string first = buffer.substr(0, line);
  request.method = first.substr(0, first.find(' '));
  request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
  while (line < end) {
    const std::size_t next = buffer.find("\r\n", line + 2);
    const std::string header = buffer.substr(line + 2, next - line - 2);
    const std::size_t colon = header.find(':');
    const std::size_t value = header.find_first_not_of(' ', colon + 1);
    request.headers[lower(header.substr(0, colon))] = value == std::string::npos ? "" : header.substr(value);
    line = next;
  }
  const std::string length = request.header("content-length");
  const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
  while (buffer.size() < end + 4 + wanted) {
    if (!read_more(fd, buffer)) return std::nullopt;
  }
  request.body = buffer.substr(end + 4, wanted);
  buffer.erase(0, end + 4 + wanted);
  return request;
}

bool Responder::send_all(int fd, std::string_view bytes) {
  while (!bytes.empty() && !stopping_) {
    pollfd one{fd, POLLOUT, 0};
    if (::poll(&one, 1, 10) <= 0) continue;
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return bytes.empty();
}

void Responder::wait_until_left(int fd) {
  char byte;
  while (!stopping_) {
    if (readable(fd) && ::recv(fd, &byte, 1, 0) <= 0) return;
  }
}

bool Responder::answer(int fd, const Reply& reply) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Test\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (reply.status != 204) head += "Content-Length: " + std::to_string(reply.content_length.value_or(reply.body.size())) + "\r\n";
  head += "\r\n";
  if (reply.drip_ms == 0) return send_all(fd, head + reply.body);
  if (!send_all(fd, head)) return false;
  for (const char& byte : reply.body) {
    std::this_thread::sleep_for(std::chrono::milliseconds(reply.drip_ms));
    if (!send_all(fd, {&byte, 1})) return false;
  }
  return true;
}

void Responder::serve(int fd) {
  std::string buffer;
  while (!stopping_) {
    const std::optional<Request> request = read_request(fd, buffer);
    if (!request) return;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    const Reply reply = handler_(*request);
    if (reply.drop) return;
    if (reply.stall_before) return wait_until_left(fd);
    if (!answer(fd, reply)) return;
    if (reply.stall_after) return wait_until_left(fd);
    if (reply.close_after || reply.content_length.value_or(0) > reply.body.size()) return;
  }
}

}  // namespace ts_test
