@main
struct SigningProbe {
    static func main() {}
}
