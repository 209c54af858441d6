// A small HTTP server on 127.0.0.1 that does what a test says: answers, drops, stalls, drips, lies about lengths.
//
// The handler runs on a connection's thread, several at once. Connections are kept alive as in HTTP/1.1.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ts_test {

struct Request {
  std::string method;
  std::string target;                          // path and query as sent
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::uint64_t> content_length = {};  // what is said; default: the truth
  bool drop = false;                                 // close without an answer
  bool stall_before = false;                         // say nothing until the client leaves
  bool stall_after = false;                          // say nothing more after head and body, and keep the connection
  bool close_after = false;
  int drip_ms = 0;  // between two bytes of the body
};

class Responder {
 public:
  using Handler = std::function<Reply(const Request&)>;
  explicit Responder(Handler handler);
  ~Responder();
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  std::string url() const { return "http://" + authority(); }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::vector<Request> requests() const;
  int connections() const { return connections_; }
  void drop_before_reading(int count) { drops_ = count; }  // of the next connections

 private:
  void accept_loop();
  void serve(int fd);
  std::optional<Request> read_request(int fd, std::string& buffer);
  bool read_more(int fd, std::string& buffer);
  bool send_all(int fd, std::string_view bytes);
  bool answer(int fd, const Reply& reply);
  void wait_until_left(int fd);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> drops_{0};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;     // guarded by mutex_
  std::vector<std::thread> threads_;  // of the accepting thread; joined at the end
  std::thread acceptor_;
};

}  // namespace ts_test
