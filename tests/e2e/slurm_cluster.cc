#include "tests/e2e/slurm_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

void SleepFor(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// A port nobody has now.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  const bool good =
      bind(fd, plain, size) == 0 && getsockname(fd, plain, &size) == 0;
  close(fd);
  return good ? ntohs(address.sin_port) : 0;
}

std::string ShortHostName() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  const std::string text = name.data();
  return text.substr(0, text.find('.'));
}

/// Daemons lie where ordinary users do not look.
fs::path Find(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream in(StrCat(path == nullptr ? "" : path, ":/usr/sbin"));
  for (std::string folder; std::getline(in, folder, ':');) {
    const fs::path candidate = fs::path(folder) / program;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string LastLineOf(const fs::path& path) {
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

/// SIGKILL for all that was started with this configuration, but for ourselves.
void EndAllWith(const std::string& configuration) {
  const std::string mark = "SLURM_CONF=" + configuration;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == getpid()) continue;
    std::ifstream in(entry.path() / "environ", std::ios::binary);
    for (std::string word; std::getline(in, word, '\0');) {
      if (word == mark) kill(pid, SIGKILL);
    }
  }
}

/// Asked first.
void EndProcess(pid_t pid) {
  kill(pid, SIGTERM);
  int status = 0;
  for (int i = 0; i < 100; ++i) {
    if (waitpid(pid, &status, WNOHANG) != 0) return;
    SleepFor(0.05);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
}

}  // namespace

SlurmCluster::SlurmCluster(fs::path folder) : folder_(std::move(folder)) {}

void SlurmCluster::WriteConfiguration() const {
  for (const char* name : {"run", "munge", "state", "spool", "log"}) {
    MakeFolders(folder_ / name);
  }
  fs::permissions(folder_ / "munge", fs::perms::owner_all);
  std::random_device device;
  std::string key;
  for (int i = 0; i < 256; ++i) key += static_cast<char>(device() & 0xff);
  WriteFileAtomic(folder_ / "munge/key", key);
  fs::permissions(folder_ / "munge/key",
                  fs::perms::owner_read | fs::perms::owner_write);

  const std::string host = ShortHostName();
  const char* name = std::getenv("USER");
  const std::string user = geteuid() == 0    ? "root"
                           : name == nullptr ? std::to_string(geteuid())
                                             : name;
  const std::string here = folder_.string();
  WriteFileAtomic(
      folder_ / "slurm.conf",
      StrCat("ClusterName=tailmark\nSlurmctldHost=", host, "(127.0.0.1)\n",
             "SlurmctldPort=", FreePort(), "\nSlurmdPort=", FreePort(),
             "\nAuthType=auth/munge\nCryptoType=crypto/munge\nAuthInfo=socket=",
             here, "/run/socket\nSlurmUser=", user, "\nSlurmdUser=", user,
             "\nStateSaveLocation=", here, "/state\nSlurmdSpoolDir=", here,
             "/spool\nSlurmctldPidFile=", here,
             "/run/slurmctld.pid\nSlurmdPidFile=", here,
             "/run/slurmd.pid\nSlurmctldLogFile=", here,
             "/log/slurmctld\nSlurmdLogFile=", here,
             "/log/slurmd\nProctrackType=proctrack/linuxproc\n"
             "TaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n"
             "AccountingStorageType=accounting_storage/none\n"
             "SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n"
             "SchedulerType=sched/backfill\n"
             "SchedulerParameters=sched_interval=1,bf_interval=1\n"
             "SlurmdParameters=config_overrides\nMpiDefault=none\n"
             "ReturnToService=2\nKillWait=2\nMaxArraySize=8\n"
             "BatchStartTimeout=30\nMessageTimeout=60\n"
             "MailProg=/bin/true\nNodeName=",
             host, " NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n",
             "PartitionName=main Nodes=", host,
             " Default=YES MaxTime=INFINITE State=UP\n"));
  WriteFileAtomic(folder_ / "cgroup.conf", "CgroupPlugin=cgroup/v1\n");
}

pid_t SlurmCluster::Spawn(const std::vector<std::string>& words) const {
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  const std::string out =
      (folder_ / "log" / (fs::path(words[0]).filename().string() + ".out"))
          .string();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // Whatever becomes of this program, no daemon stays behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  execv(argv[0], argv.data());
  std::_Exit(127);
}

void SlurmCluster::StartGuard() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
  guard_ = fork();
  if (guard_ != 0) {
    close(ends[0]);
    alive_ = ends[1];
    return;
  }
  setsid();  // Ctrl-C is for the others.
  close(ends[1]);
  char nothing = 0;
  while (read(ends[0], &nothing, 1) > 0) {
  }
  // What is being started meanwhile is met the next time.
  for (int i = 0; i < 5; ++i, SleepFor(0.1)) {
    EndAllWith((folder_ / "slurm.conf").string());
  }
  std::_Exit(0);
}

std::unique_ptr<SlurmCluster> SlurmCluster::Start(const fs::path& folder,
                                                  std::string& why) {
  std::map<std::string, std::string> programs;
  for (const char* name : {"munged", "slurmctld", "slurmd", "sbatch"}) {
    programs[name] = Find(name).string();
    if (programs[name].empty()) {
      why = StrCat("no ", name, " here (ci/setup --with-slurm installs it)");
      return nullptr;
    }
  }
  std::unique_ptr<SlurmCluster> cluster(new SlurmCluster(folder));
  MakeFolders(folder);
  fs::permissions(folder, fs::perms(0755));
  cluster->WriteConfiguration();
  cluster->StartGuard();
  cluster->slurmd_ = programs["slurmd"];
  const std::string here = folder.string();
  cluster->daemons_.push_back(cluster->Spawn(
      {programs["munged"], "--foreground", "--force",
       "--key-file=" + here + "/munge/key", "--socket=" + here + "/run/socket",
       "--pid-file=" + here + "/run/munged.pid",
       "--log-file=" + here + "/log/munged",
       "--seed-file=" + here + "/munge/seed"}));
  for (int i = 0; i < 100 && !fs::exists(folder / "run/socket"); ++i) {
    SleepFor(0.05);
  }
  const std::string configuration = here + "/slurm.conf";
  for (const char* name : {"slurmctld", "slurmd"}) {
    cluster->daemons_.push_back(
        cluster->Spawn({programs[name], "-D", "-f", configuration}));
  }
  if (cluster->WaitFor("sinfo -h -o %T", "idle", 60)) return cluster;
  why = "Slurm does not come up:";
  for (const char* name : {"munged", "slurmctld", "slurmd"}) {
    why += StrCat("\n  ", name, ": ",
                  LastLineOf(folder / "log" / (std::string(name) + ".out")));
  }
  return nullptr;
}

SlurmCluster::~SlurmCluster() {
  if (daemons_.size() == 3) {
    Ask("scancel --quiet --full --me 2>/dev/null");
    WaitUntilEmpty(20);
  }
  while (!daemons_.empty()) {
    EndProcess(daemons_.back());
    daemons_.pop_back();
  }
  if (guard_ > 0) {
    close(alive_);
    waitpid(guard_, nullptr, 0);
  }
}

void SlurmCluster::RestartNode() {
  EndProcess(daemons_.back());
  daemons_.back() =
      Spawn({slurmd_, "-D", "-f", (folder_ / "slurm.conf").string()});
}

std::map<std::string, std::string> SlurmCluster::environment() const {
  return {{"SLURM_CONF", (folder_ / "slurm.conf").string()}};
}

std::string SlurmCluster::Ask(const std::string& line) const {
  const std::string whole =
      StrCat("SLURM_CONF='", (folder_ / "slurm.conf").string(), "'; ",
             "export SLURM_CONF; ", line, " 2>&1");
  FILE* pipe = popen(whole.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

std::string SlurmCluster::Logs() const {
  std::string all;
  for (const char* name : {"slurmctld", "slurmd"}) {
    const fs::path file = folder_ / "log" / name;
    if (!fs::exists(file)) continue;
    std::string text = ReadFile(file);
    constexpr std::size_t kMost = 6000;
    if (text.size() > kMost) text.erase(0, text.size() - kMost);
    all += StrCat("--- ", name, "\n", text);
  }
  return all;
}

void SlurmCluster::Hurry() const {
  // Not at once: the node refuses what starts within the second in which it
  // ended the attempt before, and Slurm then takes the job for cancelled. And
  // each once, or it would be put off for ever.
  Ask("now=$(date +%s); squeue -h -t PENDING -o '%i %r %S' | while read -r job "
      "why when; do [ \"$why\" = BeginTime ] || continue; "
      "begin=$(date -d \"$when\" +%s) && [ $((begin - now)) -gt 5 ] && "
      "scontrol update JobId=$job StartTime=now+2; done");
}

bool SlurmCluster::WaitFor(const std::string& line, const std::string& answer,
                           double seconds) const {
  for (const Stopwatch watch; watch.Seconds() < seconds; SleepFor(0.25)) {
    if (Ask(line) == answer) return true;
    if (line.starts_with("squeue")) Hurry();
  }
  return false;
}

bool SlurmCluster::WaitUntilEmpty(double seconds) const {
  return WaitFor("squeue -h -o %i", "", seconds);
}

std::string SlurmCluster::WaitUntilRunning(const std::string& name,
                                           double seconds) const {
  for (const Stopwatch watch; watch.Seconds() < seconds; SleepFor(0.1)) {
    const std::string ids =
        Ask(StrCat("squeue -h -t RUNNING -o %i --name=", name));
    if (!ids.empty()) return ids.substr(0, ids.find('\n'));
    Hurry();
  }
  return "";
}

pid_t SlurmCluster::StepDaemonOf(const std::string& job) const {
  // "PID JOBID STEPID LOCALID GLOBALID", the script first.
  std::istringstream in(Ask(StrCat("scontrol listpids $(squeue -h -o %A -j ",
                                   job, ") | tail -n +2")));
  for (pid_t pid = 0; in >> pid;) {
    std::string rest;
    std::getline(in, rest);
    // Up from there: the daemon is the first that is called so.
    while (pid > 1) {
      std::ifstream status(StrCat("/proc/", pid, "/status"));
      std::string word;
      std::string name;
      pid_t parent = 0;
      while (status >> word) {
        if (word == "Name:") status >> name;
        if (word == "PPid:") {
          status >> parent;
          break;
        }
      }
      if (name == "slurmstepd") return pid;
      pid = parent;
    }
  }
  return -1;
}

}  // namespace tailmark
