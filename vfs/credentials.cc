// The credential chain: five sources, asked in the order that AWS's own clients use.
#include "vfs/credentials.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ext/base/file.h"
#include "vfs/s3_answer.h"
#include "vfs/unavailable.h"
#include "vfs/url.h"

namespace ts {
namespace {

constexpr std::int64_t kRefreshBeforeMs = 5 * 60 * 1000;  // long enough for several tries, short against an hour's life
constexpr std::int64_t kRefreshAgainMs = 30 * 1000;       // while the old ones still hold
constexpr std::int64_t kMissingMs = 5 * 1000;             // how long "nothing found" is believed: metadata costs a second
constexpr std::int64_t kWaitMs = 20;                      // a Cancel is polled at least every 50 ms
constexpr std::size_t kMaxFile = 1 << 20;                 // of a profile or token file
constexpr std::uint64_t kMaxAnswer = 256 * 1024;          // of a metadata or STS answer

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<std::string> read_system_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMaxFile, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// Interrupts, but does not charge.
class Uncounted : public Cancel {
 public:
  explicit Uncounted(const Cancel* inner) : inner_(inner) {}
  bool cancelled() const override { return inner_ && inner_->cancelled(); }

 private:
  const Cancel* inner_;
};

using Sections = std::map<std::string, std::map<std::string, std::string>>;

// The files of AWS: [section], name = value, '#' and ';' comments, and indented lines that belong to the name above.
Sections parse_ini(std::string_view text) {
  Sections sections;
  std::map<std::string, std::string>* section = nullptr;
  std::string above;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const std::size_t close = line.find(']');
      if (close == std::string_view::npos) continue;
      std::string_view name = trimmed(line.substr(1, close - 1));
      section = &sections[std::string(name)];
      above.clear();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!section || equals == std::string_view::npos) continue;
    const bool nested = (raw.front() == ' ' || raw.front() == '\t') && !above.empty();
    std::string name(trimmed(line.substr(0, equals)));
    std::string_view value = trimmed(line.substr(equals + 1));
    for (const char* comment : {" #", " ;"}) {
      if (std::size_t at = value.find(comment); at != std::string_view::npos) value = trimmed(value.substr(0, at));
    }
    (*section)[nested ? above + "." + name : name] = value;
    if (!nested) above = value.empty() ? name : "";
  }
  return sections;
}

std::string expanded(const Surroundings& around, std::string path) {
  if (path.starts_with("~/")) path = around.environment("HOME") + path.substr(1);
  return path;
}

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return "";
}

[[noreturn]] void fail(Code code, const std::string& message) { throw Error(code, "s3: credentials: " + message); }

// A key that lands in a header: no blanks, no controls.
bool clean(const std::string& text) {
  for (unsigned char c : text) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

std::shared_ptr<const Credentials> checked(Credentials found) {
  if (found.access_key_id.empty() || found.secret_access_key.empty()) fail(Code::kForbidden, found.source + " gave an incomplete key");
  if (!clean(found.access_key_id) || !clean(found.secret_access_key) || !clean(found.session_token)) {
    fail(Code::kForbidden, found.source + " holds a key with blanks or control characters; write it anew");
  }
  return std::make_shared<const Credentials>(std::move(found));
}

std::int64_t expiration(const std::string& text, const std::string& source) {
  const auto at = parse_expiration(text);
  if (!at) throw Unavailable("s3: credentials: the answer of " + source + " was not understood: its Expiration is no time", false);
  return *at;
}

// 200 or an error that says who answered what; the body may hold secrets and is never shown.
HttpResponse ask(const Surroundings& around, const HttpRequest& request, const std::string& source, const Cancel* cancel) {
  const Uncounted uncounted(cancel);
  HttpResponse response = around.http(request, &uncounted);
  if (response.status == 200) return response;
  const std::string message = source + " answered HTTP " + std::to_string(response.status);
  if (response.status == 429 || response.status >= 500) throw Unavailable("s3: credentials: " + message, false);
  fail(Code::kForbidden, message + "; check the role and its permissions");
}

Credentials from_json(const std::string& body, const std::string& source) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  auto text = [&](const char* name) -> std::string {
    if (!json.is_object()) return "";
    auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (!json.is_object()) throw Unavailable("s3: credentials: the answer of " + source + " was not understood", false);
  if (std::string code = text("Code"); !code.empty() && code != "Success") {
    throw Unavailable("s3: credentials: " + source + " has no credentials ready (" + printable(code, 64) + ")", false);
  }
  Credentials found{text("AccessKeyId"), text("SecretAccessKey"), text("Token"), 0, source};
  if (std::string end = text("Expiration"); !end.empty()) found.expires_ms = expiration(end, source);
  return found;
}

std::shared_ptr<const Credentials> from_environment(const Surroundings& around) {
  Credentials found{around.environment("AWS_ACCESS_KEY_ID"), around.environment("AWS_SECRET_ACCESS_KEY"),
                    around.environment("AWS_SESSION_TOKEN"), 0, "the environment"};
  if (found.access_key_id.empty() && found.secret_access_key.empty()) return nullptr;
  if (found.access_key_id.empty()) fail(Code::kForbidden, "AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not");
  if (found.secret_access_key.empty()) fail(Code::kForbidden, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
  return checked(std::move(found));
}

// STS AssumeRoleWithWebIdentity: the token in a file is exchanged for keys; the request is not signed.
std::shared_ptr<const Credentials> from_web_identity(const Surroundings& around, const std::string& token_file, const std::string& role,
                                                     std::string session, const std::string& region, const Cancel* cancel) {
  const std::string source = "web identity (STS)";
  if (role.empty()) fail(Code::kForbidden, "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not");
  const std::optional<std::string> token = around.read_file(expanded(around, token_file));
  if (!token) fail(Code::kForbidden, "the web identity token file cannot be read: " + token_file);
  if (session.empty()) session = "sqlite-timeseries-" + std::to_string(around.clock->now_ms());
  std::string endpoint = first_of({around.environment("AWS_ENDPOINT_URL_STS"), around.environment("AWS_ENDPOINT_URL")});
  if (endpoint.empty()) {
    endpoint = "https://sts." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const std::string body = encode_query({{"Action", "AssumeRoleWithWebIdentity"},
                                         {"Version", "2011-06-15"},
                                         {"RoleArn", role},
                                         {"RoleSessionName", session},
                                         {"WebIdentityToken", std::string(trimmed(*token))}});
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint + "/";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = body;
  request.max_body = kMaxAnswer;
  const HttpResponse response = ask(around, request, source, cancel);
  const std::optional<StsKeys> keys = parse_sts_keys(response.body);
  if (!keys) throw Unavailable("s3: credentials: the answer of " + source + " was not understood", false);
  return checked({keys->access_key_id, keys->secret_access_key, keys->session_token, expiration(keys->expiration, source), source});
}

std::shared_ptr<const Credentials> from_profile(const Surroundings& around, const Profile& profile, const std::string& region,
                                                const Cancel* cancel) {
  const std::string source = "profile '" + printable(profile.name, 64) + "'";
  Credentials found{profile.value("aws_access_key_id"), profile.value("aws_secret_access_key"), profile.value("aws_session_token"), 0,
                    source};
  if (!found.access_key_id.empty() || !found.secret_access_key.empty()) return checked(std::move(found));
  if (std::string file = profile.value("web_identity_token_file"); !file.empty()) {
    return from_web_identity(around, file, profile.value("role_arn"), profile.value("role_session_name"), region, cancel);
  }
  for (const char* other : {"role_arn", "credential_process", "sso_session", "sso_start_url"}) {
    if (profile.value(other).empty()) continue;
    fail(Code::kForbidden,
         source + " uses " + other + ", which is not supported; run `aws configure export-credentials --format env` and use its output");
  }
  return nullptr;
}

// Plain http may carry keys only inside this machine or to the addresses where ECS and EKS serve them.
bool may_serve_keys(const Url& url) {
  if (url.scheme == "https") return true;
  if (url.host == "localhost" || url.host == "[::1]" || url.host == "169.254.170.2" || url.host == "169.254.170.23" ||
      url.host == "[fd00:ec2::23]") {
    return true;
  }
  // 127.0.0.0/8, digits and dots only: "127.evil.example" is a name.
  return url.host.starts_with("127.") && url.host.find_first_not_of("0123456789.") == std::string::npos;
}

std::shared_ptr<const Credentials> from_container(const Surroundings& around, const Cancel* cancel) {
  const std::string relative = around.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = around.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return nullptr;
  const std::string source = "the container's credential endpoint";
  HttpRequest request;
  request.url = relative.empty() ? full : "http://169.254.170.2" + relative;
  const std::optional<Url> url = parse_url(request.url);
  if (!url || url->userinfo || (!relative.empty() && url->host != "169.254.170.2")) {
    fail(Code::kForbidden, "AWS_CONTAINER_CREDENTIALS_..._URI is no URL");
  }
  if (!may_serve_keys(*url)) {
    fail(Code::kForbidden, "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine, ECS or EKS");
  }
  std::string token = around.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = around.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    const std::optional<std::string> text = around.read_file(file);
    if (!text) fail(Code::kForbidden, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: " + file);
    token = trimmed(*text);
  }
  if (token.find_first_of("\r\n") != std::string::npos) fail(Code::kForbidden, "the container's authorization token holds a line break");
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  request.direct = true;
  request.max_body = kMaxAnswer;
  request.connect_timeout_ms = 2'000;
  request.stall_timeout_ms = 5'000;
  return checked(from_json(ask(around, request, source, cancel).body, source));
}

// Nothing when there is no metadata service or no role; `why` then says which.
std::shared_ptr<const Credentials> from_instance(const Surroundings& around, std::string& why, const Cancel* cancel) {
  std::string disabled = around.environment("AWS_EC2_METADATA_DISABLED");
  for (char& c : disabled) c = static_cast<char>(c | 0x20);
  if (disabled == "true") {
    why = "disabled";
    return nullptr;
  }
  const std::string source = "the instance metadata";
  const Uncounted uncounted(cancel);
  std::string base = around.environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  HttpRequest request;
  request.method = "PUT";
  request.url = base + "/latest/api/token";
  request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  request.direct = true;
  request.max_body = kMaxAnswer;
  request.connect_timeout_ms = 1'000;  // where there is none, nobody answers, and a user waits
  request.stall_timeout_ms = 2'000;
  HttpResponse token;
  try {
    token = around.http(request, &uncounted);
  } catch (const HttpError& error) {
    why = error.fault() == HttpFault::kConnect || error.fault() == HttpFault::kDns ? "no answer" : error.happened();
    return nullptr;
  }
  if (token.status != 200) {
    why = "HTTP " + std::to_string(token.status);
    return nullptr;
  }
  const std::string path = base + "/latest/meta-data/iam/security-credentials/";
  request.method = "GET";
  request.url = path;
  request.headers = {{"X-aws-ec2-metadata-token", std::string(trimmed(token.body))}};
  const HttpResponse roles = around.http(request, &uncounted);
  const std::string role(trimmed(roles.body.substr(0, roles.body.find('\n'))));
  if (roles.status == 404 || (roles.status == 200 && role.empty())) {
    why = "the instance has no role";
    return nullptr;
  }
  if (roles.status != 200) throw Unavailable("s3: credentials: " + source + " answered HTTP " + std::to_string(roles.status), false);
  request.url = path + percent_encode(role);
  return checked(from_json(ask(around, request, source, cancel).body, source));
}

}  // namespace

Surroundings Surroundings::system() {
  return {[](const char* name) { return ts::environment(name); }, read_system_file, http_send, &Clock::system()};
}

std::string Profile::value(const std::string& key) const {
  auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

Profile load_profile(const Surroundings& around, const std::string& chosen) {
  const std::string from_variable = around.environment("AWS_PROFILE");
  Profile profile;
  profile.name = first_of({chosen, from_variable, "default"});
  const std::string config = first_of({around.environment("AWS_CONFIG_FILE"), "~/.aws/config"});
  const std::string credentials = first_of({around.environment("AWS_SHARED_CREDENTIALS_FILE"), "~/.aws/credentials"});
  profile.files = credentials + " and " + config;
  std::string services;
  if (const auto text = around.read_file(expanded(around, config))) {
    Sections sections = parse_ini(*text);
    for (const std::string& name : {"profile " + profile.name, profile.name}) {
      if (name == profile.name && name != "default") continue;  // the config file says "profile", but for the default
      if (auto section = sections.find(name); section != sections.end()) {
        profile.found = true;
        profile.values = section->second;
        break;
      }
    }
    if (const std::string name = profile.value("services"); !name.empty()) {
      if (auto section = sections.find("services " + name); section != sections.end()) {
        for (const auto& [key, value] : section->second) profile.values[key] = value;
      }
    }
  }
  if (const auto text = around.read_file(expanded(around, credentials))) {
    Sections sections = parse_ini(*text);
    if (auto section = sections.find(profile.name); section != sections.end()) {
      profile.found = true;
      for (const auto& [key, value] : section->second) profile.values[key] = value;
    }
  }
  if (!profile.found && (!chosen.empty() || !from_variable.empty())) {
    throw Error(Code::kBadInput, "s3: there is no profile '" + printable(profile.name, 64) + "' in " + profile.files + "; check its name");
  }
  return profile;
}

std::string resolve_region(const Surroundings& around, const Profile& profile, const std::string& option) {
  return first_of(
      {option, around.environment("AWS_REGION"), around.environment("AWS_DEFAULT_REGION"), profile.value("region"), "us-east-1"});
}

std::string resolve_endpoint(const Surroundings& around, const Profile& profile, const std::string& option) {
  return first_of({option, around.environment("AWS_ENDPOINT_URL_S3"), around.environment("AWS_ENDPOINT_URL"),
                   profile.value("s3.endpoint_url"), profile.value("endpoint_url")});
}

CredentialChain::CredentialChain(Surroundings around, std::string chosen) : around_(std::move(around)), chosen_(std::move(chosen)) {}

std::shared_ptr<const Credentials> CredentialChain::get(const Cancel* cancel) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::int64_t now = around_.clock->now_ms();
    if (current_) {
      if (current_->expires_ms == 0 || now < current_->expires_ms - kRefreshBeforeMs) return current_;
      if (now < current_->expires_ms && (fetching_ || now < not_before_ms_)) return current_;
    }
    if (!missing_.empty() && around_.clock->steady_ms() < missing_until_ms_ && around_.environment("AWS_ACCESS_KEY_ID").empty()) {
      throw Error(Code::kForbidden, missing_);
    }
    if (!fetching_) break;
    fetched_.wait_for(lock, std::chrono::milliseconds(kWaitMs));
    lock.unlock();
    if (cancel && cancel->cancelled()) throw Error(Code::kInterrupted, "s3: interrupted while waiting for credentials");
    lock.lock();
  }
  fetching_ = true;
  const std::shared_ptr<const Credentials> old = current_;
  lock.unlock();
  std::shared_ptr<const Credentials> fresh;
  std::exception_ptr failure;
  std::string missing;
  try {
    fresh = fetch(cancel);
  } catch (const HttpError& error) {
    failure = error.code() == Code::kUnavailable
                  ? std::make_exception_ptr(Unavailable("s3: credentials: " + error.happened() + "; " + error.remedy(), false))
                  : std::current_exception();
  } catch (const Error& error) {
    failure = std::current_exception();
    if (error.code() == Code::kForbidden) missing = error.what();
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  fetching_ = false;
  missing_ = missing;
  missing_until_ms_ = around_.clock->steady_ms() + kMissingMs;
  if (fresh) current_ = fresh;
  fetched_.notify_all();
  if (fresh) return fresh;
  const std::int64_t now = around_.clock->now_ms();
  if (old && now < old->expires_ms && current_ == old) {  // they still hold: try again a little later
    not_before_ms_ = now + kRefreshAgainMs;
    missing_.clear();
    return old;
  }
  std::rethrow_exception(failure);
}

void CredentialChain::expire(const std::shared_ptr<const Credentials>& refused) {
  std::lock_guard lock(mutex_);
  if (current_ == refused) current_ = nullptr;
}

std::shared_ptr<const Credentials> CredentialChain::fetch(const Cancel* cancel) {
  if (chosen_.empty()) {
    if (auto found = from_environment(around_)) return found;
    if (const std::string file = around_.environment("AWS_WEB_IDENTITY_TOKEN_FILE"); !file.empty()) {
      const std::string region = resolve_region(around_, load_profile(around_, ""), "");
      return from_web_identity(around_, file, around_.environment("AWS_ROLE_ARN"), around_.environment("AWS_ROLE_SESSION_NAME"), region,
                               cancel);
    }
  }
  const Profile profile = load_profile(around_, chosen_);
  if (auto found = from_profile(around_, profile, resolve_region(around_, profile, ""), cancel)) return found;
  const std::string no_profile =
      "profile '" + printable(profile.name, 64) + "' (" + (profile.found ? "no keys" : "not found") + " in " + profile.files + ")";
  if (!chosen_.empty()) fail(Code::kForbidden, "no keys: " + no_profile + "; add aws_access_key_id and aws_secret_access_key");
  if (auto found = from_container(around_, cancel)) return found;
  std::string instance;
  if (auto found = from_instance(around_, instance, cancel)) return found;
  throw Error(Code::kForbidden,
              "s3: no credentials found: looked at the environment (AWS_ACCESS_KEY_ID is not set), web identity "
              "(AWS_WEB_IDENTITY_TOKEN_FILE is not set), " +
                  no_profile + ", the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set) and the instance metadata (" +
                  instance + "); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write anonymous=1 for a public bucket");
}

std::optional<std::int64_t> parse_expiration(const std::string& text) {
  int year = 0, length = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u%n", &year, &month, &day, &hour, &minute, &second, &length) != 6) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(length));
  if (rest.starts_with('.')) {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if ((rest != "Z" && rest != "+00:00") || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60'000 + static_cast<std::int64_t>(second) * 1000;
}

}  // namespace ts
