import AWSSigning

/// Credentials in the shared files, read anew each time, so that renewed ones are found.
struct ProfileCredentials: CredentialsSource {
    let files: ProfileFiles

    func find() async throws(AWSError) -> AWSCredentials? {
        guard let profile = files.profile() else {
            guard files.isNamed else { return nil }
            throw refusal("is in neither \(files.credentialsPath ?? "-") nor \(files.configPath ?? "-")")
        }
        let key = profile["aws_access_key_id"] ?? ""
        let secret = profile["aws_secret_access_key"] ?? ""
        if !key.isEmpty, !secret.isEmpty {
            return try CredentialsText.credentials(
                key: key, secret: secret, token: profile["aws_session_token"],
                from: "the profile '\(files.profileName)'")
        }
        if !key.isEmpty || !secret.isEmpty {
            throw refusal("needs both aws_access_key_id and aws_secret_access_key")
        }
        for setting in Self.unsupported where profile[setting] != nil {
            throw refusal(
                "gets its keys by \(setting), which this program does not do: put keys into the environment, for "
                    + "example by `aws configure export-credentials --format env`")
        }
        guard files.isNamed else { return nil }
        throw refusal("has no aws_access_key_id and aws_secret_access_key")
    }

    /// Ways of the AWS tools to come by keys that need more services, or other programs.
    private static let unsupported = [
        "role_arn", "sso_session", "sso_account_id", "sso_start_url", "credential_process", "web_identity_token_file",
        "login_session",
    ]

    private func refusal(_ what: String) -> AWSError {
        AWSError(.noCredentials, "The AWS profile '\(files.profileName)' (AWS_PROFILE) \(what).")
    }
}
