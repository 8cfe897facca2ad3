import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { waitUntil } from "../test/support/wait-until.ts"

/** An NGINX that asks each of some checkers, at `/NAME`, before it answers 204. */
export interface CheckingNginx {
  pid: number
  end(): Promise<void>
}

/**
 * Starts an NGINX that asks as a machine's does (image-builder/rootfs/etc/nginx/nginx.conf), less its TLS, over
 * connections that are kept. Key and token are the visitor's here, so that one NGINX can be every machine.
 * @param ports.front where it takes the load
 * @param ports.plain where it answers 204 itself, as the fastest checker there could be
 * @param checkers port of each checker, by the name of its path
 */
export async function startCheckingNginx(
  directory: string,
  ports: { front: number; plain: number },
  checkers: Record<string, number>,
): Promise<CheckingNginx> {
  const file = join(directory, "nginx.conf")
  writeFileSync(file, configuration(directory, ports, checkers))
  const child = spawn("nginx", ["-p", directory, "-c", file], { stdio: ["ignore", "inherit", "inherit"] })
  const gone = once(child, "exit")
  await waitUntil("NGINX listens", () => listens(ports.front), 20_000)
  return {
    pid: child.pid as number,
    async end() {
      child.kill("SIGTERM")
      await gone
    },
  }
}

function configuration(
  directory: string,
  ports: { front: number; plain: number },
  checkers: Record<string, number>,
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  const names = Object.keys(checkers)
  return `
daemon off;
worker_processes auto;
pid ${directory}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  # The load keeps its connections to the end.
  keepalive_requests 100000000;
  ${temporary.map(kind => `${kind}_temp_path ${directory}/${kind};`).join("\n  ")}
  ${names.map(name => `upstream ${name} { server 127.0.0.1:${checkers[name]}; keepalive 64; }`).join("\n  ")}
  server {
    listen 127.0.0.1:${ports.plain};
    location / { return 204; }
  }
  server {
    listen 127.0.0.1:${ports.front};
    # Where every user may look, and finds nothing.
    root /usr;
    # An answer by \`return\` right here would come before the question.
    location @admitted { return 204; }
    ${names
      .map(
        name => `location = /${name} { auth_request /_${name}; try_files /no-such-file @admitted; }
    location = /_${name} {
      internal;
      proxy_pass http://${name}/vnc/authorize;
      proxy_method GET;
      proxy_pass_request_body off;
      proxy_pass_request_headers off;
      proxy_http_version 1.1;
      proxy_set_header Host checker;
      proxy_set_header Connection "";
      proxy_set_header Authorization $http_authorization;
      proxy_set_header X-Foozol-Token $http_x_foozol_token;
    }`,
      )
      .join("\n    ")}
  }
}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })
}
