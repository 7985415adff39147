#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace {

// Reads to the empty line behind the headers, then answers.
void answer(int client) {
    std::string request;
    char piece[1024];
    while (request.size() < 8192 && request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = read(client, piece, sizeof piece);
        if (got <= 0) break;
        request.append(piece, static_cast<std::size_t>(got));
    }
    const std::string body = "Hello from C++\n";
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    if (write(client, text.data(), text.size()) < 0) std::cerr << "the client has left" << std::endl;
    close(client);
}

}  // namespace

int main() {
    const char *text = std::getenv("PORT");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text ? text : "8080")));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::signal(SIGPIPE, SIG_IGN);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || bind(server, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 || listen(server, 16) != 0) {
        std::cerr << "cannot listen" << std::endl;
        return 1;
    }
    std::cout << "listens on 127.0.0.1:" << ntohs(address.sin_port) << std::endl;
    for (;;) {
        const int client = accept(server, nullptr, nullptr);
        if (client >= 0) answer(client);
    }
}
