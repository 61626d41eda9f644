#include "processes.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "tool.h"

namespace cli {
namespace {

struct Child {
  size_t index;
  pid_t pid;
  int pipe;
  Clock::time_point start;
  std::string text;
};

bool send(int fd, const std::string& text) {
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::write(fd, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

[[noreturn]] void be_child(int fd, int seconds, const std::function<std::string(size_t)>& work, size_t i) {
  ::signal(SIGALRM, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::alarm(static_cast<unsigned>(seconds));
  // A mark shows that the work came to its end.
  ::_exit(send(fd, work(i) + '.') ? 0 : 1);
}

hone::Result<Child> start(size_t i, int seconds, const std::function<std::string(size_t)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return hone::error(hone::Code::io, "cannot make a pipe: %s", std::strerror(errno));
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    be_child(ends[1], seconds, work, i);
  }
  const int problem = errno;
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return hone::error(hone::Code::io, "cannot start a process: %s; use fewer --jobs",
                       std::strerror(problem));
  }
  return Child{i, pid, ends[0], Clock::now(), {}};
}

Piece finish(Child& c, int seconds) {
  ::close(c.pipe);
  int status = 0;
  while (::waitpid(c.pid, &status, 0) < 0 && errno == EINTR) {}
  Piece piece{.text = {}, .mishap = {}, .ms = ms_since(c.start)};
  if (WIFSIGNALED(status))
    piece.mishap = WTERMSIG(status) == SIGALRM ? hone::strf("took more than %d s", seconds)
                                               : std::string("crashed: ") + ::strsignal(WTERMSIG(status));
  else if (!c.text.ends_with('.')) piece.mishap = hone::strf("crashed: exit code %d", WEXITSTATUS(status));
  else piece.text = c.text.substr(0, c.text.size() - 1);
  return piece;
}

}  // namespace

hone::Status in_processes(size_t n, int jobs, int seconds, const std::function<std::string(size_t)>& work,
                          const std::function<bool(size_t, Piece)>& done) {
  std::vector<Child> running;
  hone::Status status;
  bool go_on = true;
  for (size_t next = 0; go_on && (next < n || !running.empty());) {
    while (next < n && running.size() < static_cast<size_t>(jobs)) {
      auto child = start(next, seconds, work);
      // Where the system has no room for more processes, those that run make some.
      if (!child && !running.empty()) break;
      if (!child) {
        status = child.take_error();
        go_on = false;
        break;
      }
      running.push_back(*std::move(child));
      next++;
    }
    std::vector<pollfd> fds;
    for (const Child& c : running) fds.push_back({c.pipe, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), 200) <= 0) {
      go_on = go_on && !interrupted();
      continue;
    }
    for (size_t i = fds.size(); go_on && i-- > 0;) {
      if (!fds[i].revents) continue;
      char buffer[4096];
      const ssize_t got = ::read(running[i].pipe, buffer, sizeof buffer);
      if (got > 0) running[i].text.append(buffer, static_cast<size_t>(got));
      if (got > 0 || (got < 0 && errno == EINTR)) continue;
      Piece piece = finish(running[i], seconds);
      const size_t index = running[i].index;
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      go_on = done(index, std::move(piece)) && !interrupted();
    }
  }
  for (Child& c : running) {
    ::kill(c.pid, SIGKILL);
    (void)finish(c, seconds);
  }
  if (status && interrupted()) return hone::error(hone::Code::cancelled, "interrupted");
  return status;
}

}  // namespace cli
