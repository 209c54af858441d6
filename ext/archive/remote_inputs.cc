// Fetching on the process's threads for GETs, and waiting for them.
#include "ext/archive/remote_inputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "ext/archive/sealed_file.h"
#include "ext/base/file.h"
#include "ext/base/worker_pool.h"

namespace ts {
namespace {

constexpr std::size_t kAtOnce = 8;
constexpr std::uint64_t kPart = 8u << 20;  // of a GET

// Called off by the thread that waits, which alone may ask whether it was interrupted.
class CalledOff : public Cancel {
 public:
  bool cancelled() const override { return off.load(std::memory_order_relaxed); }
  std::atomic<bool> off{false};
};

void fetch_file(Store& store, const MergeInput& input, const std::string& path, const Cancel* cancel) {
  struct File {
    int fd;
    ~File() { ::close(fd); }
  } file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (file.fd < 0) throw_errno("cannot create", path);
  for (std::uint64_t at = 0; at < input.bytes;) {
    const Range part = store.get_range(input.key, input.etag, at, std::min(kPart, input.bytes - at), cancel);
    if (part.object_size != input.bytes || part.bytes.empty()) {
      throw Error(Code::kChanged, "merge: has another size than its listing said: " + object_name(store, input.key));
    }
    for (std::size_t done = 0; done < part.bytes.size();) {
      const ssize_t n = ::pwrite(file.fd, part.bytes.data() + done, part.bytes.size() - done, static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_errno("cannot write", path);
      done += static_cast<std::size_t>(n);
    }
    at += part.bytes.size();
  }
}

// What is under way for one call of bring(). Tasks hold it, so that it outlives whoever gave up waiting.
struct Work {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t next = 0, running = 0, done = 0;
  std::exception_ptr error;
  CalledOff cancel;
};

}  // namespace

std::vector<LocalShard> RemoteInputs::bring(const std::vector<MergeInput>& inputs, std::size_t begin, std::size_t end) {
  std::vector<LocalShard> brought;
  for (std::size_t i = begin; i < end; i++) {
    brought.push_back({directory_ + "/" + inputs[i].name.id + ".in", inputs[i].key, object_name(*store_, inputs[i].key), inputs[i].name});
  }
  auto work = std::make_shared<Work>();
  auto run = [&, work] {
    std::unique_lock lock(work->mutex);
    while (!work->error && work->next < brought.size()) {
      const std::size_t at = work->next++;
      lock.unlock();
      std::exception_ptr error;
      try {
        fetch_file(*store_, inputs[begin + at], brought[at].path, &work->cancel);
        check_pages(MappedFile(brought[at].path).bytes(), brought[at].object);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error && !work->error) work->error = error;
      if (!error) work->done++;
      work->changed.notify_all();
    }
    work->running--;
    work->changed.notify_all();
  };
  std::unique_lock lock(work->mutex);
  for (std::size_t t = 0; t < std::min(kAtOnce, brought.size()); t++) {
    WorkerPool::fetchers().submit(run);
    work->running++;
  }
  std::size_t told = 0;
  while (work->running > 0) {
    work->changed.wait_for(lock, std::chrono::milliseconds(50));
    const std::size_t done = work->done;
    lock.unlock();
    if (cancel_.cancelled()) work->cancel.off = true;
    for (; told < done; told++) fetched_(inputs[begin + told].bytes);
    lock.lock();
  }
  if (work->error) std::rethrow_exception(work->error);
  return brought;
}

void RemoteInputs::release(const LocalShard& shard) { remove_file(shard.path); }

}  // namespace ts
