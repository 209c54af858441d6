// The real S3 server of the tests and the made-up world around the credential chain.
#include "tests/support/s3_fixture.h"

#include <stdexcept>

#include "ext/base/digest.h"
#include "ext/base/file.h"
#include "vfs/sigv4.h"

namespace ts_test {

S3Server& S3Server::get() {
  static S3Server server;
  return server;
}

S3Server::S3Server() {
  if (ts::environment("S3_ENDPOINT").empty()) {
    throw std::runtime_error("S3_ENDPOINT is not set: the S3 tests need a server (tests/run.sh starts one)");
  }
  bucket_ = "t-" + ts::hex(ts::random_bytes(8));
  put("/" + bucket_, "");
}

std::string S3Server::fresh_prefix() { return "p" + std::to_string(++prefixes_); }

ts::StoreOptions S3Server::options(const std::string& prefix) const {
  ts::StoreOptions options;
  options.location = "s3://" + bucket_ + (prefix.empty() ? "" : "/" + prefix);
  options.endpoint = ts::environment("S3_ENDPOINT");
  options.hedge = false;  // tests count requests, also on a machine that stalls
  return options;
}

std::unique_ptr<ts::S3Store> S3Server::store(const std::string& prefix, std::size_t page_size) const {
  ts::S3Config config = ts::s3_config(options(prefix));
  config.page_size = page_size;
  return std::make_unique<ts::S3Store>(std::move(config));
}

void S3Server::overwrite(const std::string& prefix, const std::string& key, const std::string& bytes) const {
  put("/" + bucket_ + "/" + ts::percent_encode(prefix + "/" + key, true), bytes);
}

void S3Server::put(const std::string& path, const std::string& bytes) const {
  const ts::Url url = ts::parse_url(ts::environment("S3_ENDPOINT")).value();
  const std::string date = ts::amz_date(ts::Clock::system().now_ms());
  const std::string hash = ts::hex(ts::sha256(bytes));
  ts::HttpRequest request;
  request.method = "PUT";
  request.url = url.origin() + path;
  request.body = bytes;
  request.max_body = ts::kMaxErrorBody;
  request.headers = {{"x-amz-content-sha256", hash}, {"x-amz-date", date}};
  ts::SigV4Request to_sign{"PUT", path, "", request.headers, hash};
  to_sign.headers.emplace_back("host", url.authority());
  request.headers.emplace_back("Authorization", ts::sign_v4(to_sign, {ts::environment("AWS_ACCESS_KEY_ID"),
                                                                      ts::environment("AWS_SECRET_ACCESS_KEY"), "us-east-1", "s3", date})
                                                    .authorization);
  const ts::HttpResponse response = ts::http_send(request, nullptr);
  if (response.status != 200) throw std::runtime_error("S3 fixture: PUT " + path + " answered " + std::to_string(response.status));
}

ts::Surroundings World::around() const {
  ts::Surroundings around;
  around.environment = [this](const char* name) {
    auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  around.read_file = [this](const std::string& path) -> std::optional<std::string> {
    auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
  around.http = http;
  around.clock = clock;
  return around;
}

}  // namespace ts_test
