#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace tailmark {

/// The right to run one key, for machines that share nothing but a folder: the
/// file bundles/<key>.leases/<generation>. The highest generation has the
/// right; the next one is made with link(2), which one of many wins, also on
/// NFS, and no file is ever taken back, so that there is nothing to lock. Its
/// holder changes the file at every beat. Whether it still does is judged by
/// the looker's own monotonic clock, never by times of files: clocks of
/// machines may differ or jump. A holder that died on the looker's own machine
/// is known to be dead at once, when his children are too: he had locked the
/// file.
class Lease {
 public:
  /// Lets others take the key at once, unless Finish() was called or it is
  /// lost.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Of the locked file: a child that inherits it counts as its holder, too.
  int descriptor() const { return fd_; }
  /// From 1; who takes over has a higher one.
  std::int64_t generation() const { return generation_; }
  /// Looks now. False once somebody else has it: this process was stopped, or
  /// cut off from the folder, for three beats.
  bool Ours();
  /// As the last beat found it. Any thread.
  bool lost() const { return lost_; }
  /// The key has its finished bundle: no lease of it is needed any more.
  void Finish();

 private:
  friend class LeaseBook;
  Lease(std::filesystem::path folder, std::int64_t generation,
        std::string owner, std::string kernel, double beat_s, int fd);
  void Write(const std::string& word);
  void BeatOn();

  std::filesystem::path folder_;
  std::int64_t generation_;
  std::string owner_;
  std::string kernel_;
  double beat_s_;
  int fd_;
  std::int64_t beats_ = 0;
  bool finished_ = false;
  std::atomic<bool> lost_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;  // Last: it uses all the others.
};

/// What one process saw of leases in a folder of bundles.
class LeaseBook {
 public:
  /// A lease of ours beats every `beat_s` seconds.
  LeaseBook(std::filesystem::path bundles, double beat_s);

  /// Nothing while somebody else has it and, as far as seen, beats. One that
  /// was found unchanged three times, its own beat or more apart, is taken
  /// over, so call it again and again; one whose holder died on this machine is
  /// taken over at once. Throws StoreError when the folder cannot be written.
  std::unique_ptr<Lease> Take(const std::string& key);

 private:
  struct Seen {
    std::string text;
    double at = 0;
    int missed = 0;
  };
  bool IsStale(const std::string& key, const std::string& text);

  std::filesystem::path bundles_;
  double beat_s_;
  std::string owner_;
  std::int64_t taken_ = 0;
  std::map<std::string, Seen> seen_;
};

}  // namespace tailmark
