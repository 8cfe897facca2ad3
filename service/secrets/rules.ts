import { z } from "zod"

/**
 * Names no secret may have, in small letters or capitals: a value there would decide about programs that have nothing to
 * do with it, and a wrong one leaves a machine on which nothing starts any more.
 */
const NEEDED = [
  // Which programs and parts of programs are found, and what is loaded into each one that starts.
  ...["PATH", "LD_.*", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS"],
  ...["PYTHON(PATH|HOME|STARTUP)", "PERL5?(LIB|OPT|DB)", "RUBY(LIB|OPT)", "GIT_(DIR|WORK_TREE|EXEC_PATH|CONFIG.*)"],
  // What a shell reads first and how it takes words apart, and what it lets nobody set: that ends the reading of a file.
  ...["ENV", "BASH_?.*", "ZDOTDIR", "IFS", "CDPATH", "PS[0-4]", "PROMPT_COMMAND", "SHELLOPTS", "E?UID", "PPID", "_"],
  // Who works, where, and at which display.
  ...["HOME", "USER", "LOGNAME", "SHELL", "(OLD)?PWD", "TERM", "TERMINFO.*", "TMUX.*", "TMPDIR", "TZ", "LANG(UAGE)?"],
  ...["LC_.*", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_.*", "DBUS_.*"],
  // What systemd and the workspace itself tell programs.
  ...["SYSTEMD_.*", "NOTIFY_SOCKET", "LISTEN_(FDS|FDNAMES|PID)", "WATCHDOG_.*", "CREDENTIALS_DIRECTORY"],
  ...["INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "SESSION_ID", "FOOZOL_.*"],
]
const isNeeded = new RegExp(`^(?:${NEEDED.join("|")})$`, "i")

/** A name as one may be stored already, by a service whose rules were others. */
export const StoredName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "must be a name of an environment variable, such as ANTHROPIC_API_KEY")

/** Name of a secret: the environment variable it becomes on the machine. */
export const SecretName = StoredName.refine(name => !isNeeded.test(name), {
  error: "is a name that the machine itself needs",
})

/** Most bytes of a value. The kernel takes four times as many in one variable. */
const VALUE_BYTES = 32 * 1024

export const SecretValue = z
  .string()
  .min(1, "must not be empty")
  .max(VALUE_BYTES, "must have at most 32 KiB")
  // systemd gives no program a variable with any other; in the API's description stands this pattern.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, "must be text: of control characters only tabs and line feeds")
  .refine(text => text.isWellFormed(), { error: "must be text" })
  .refine(text => Buffer.byteLength(text) <= VALUE_BYTES, { error: "must have at most 32 KiB" })

/** Most secrets of a user, and of a workspace. */
export const MOST_SECRETS = 64
/**
 * Most bytes of all their values, of a user and of a workspace each. Together they must fit into what a program can be
 * started with (2 MiB), and into the message that brings them, of which a machine takes 1 MiB.
 */
export const MOST_BYTES = 128 * 1024

/** The secrets a workspace begins with. */
export const FirstSecrets = z
  .record(SecretName, SecretValue)
  .refine(all => Object.keys(all).length <= MOST_SECRETS, { error: `must be at most ${MOST_SECRETS}` })
  .refine(all => Object.values(all).reduce((sum, value) => sum + Buffer.byteLength(value), 0) <= MOST_BYTES, {
    error: "must have at most 128 KiB in all",
  })

/** The proxy a workspace goes out through, with its credentials; what tinyproxy on the machine can carry. */
export const ProxyUrl = z
  .url({ protocol: /^(http|socks4|socks5)$/, error: "must be a URL such as http://user:password@proxy.example:3128" })
  .max(2_000)
  .regex(/^\w+:\/\/[^\s"'\\]+$/, "must be a URL without spaces, quotes and backslashes: percent-encode them")
  .refine(canBeCarried, { error: "has a host, user name or password with signs that the machine's proxy cannot take" })

/** Can tinyproxy be told of it, whose settings know no quoting? The agent's `proxyConfiguration` has the same rules. */
function canBeCarried(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { hostname, username, password } = new URL(text)
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)]
    return /^[A-Za-z0-9.-]+$/.test(hostname) && !/[\s:@"]/.test(user) && !/[\s@"]/.test(secret)
  } catch {
    return false
  }
}
