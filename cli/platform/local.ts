import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import type { Runtime } from "../../local-cloud/runtime-file.ts"
import { LOCAL_ZONE } from "../first-contents.ts"

/** What is another on the local cloud than at Hetzner: names end at this computer, and GitHub is its stand-in. */
export interface LocalChoices {
  zone: string
  size: string
  hostPorts: number[]
  /** Settings of the service; those of the environment come before the first ones. */
  preferred: Record<string, string>
  needed: Record<string, string>
}

/** @param images ids of golden images at the local cloud, by profile */
export function localChoices(
  cloud: Pick<Runtime, "apiUrl" | "token" | "routerPort" | "doorPort" | "signIn">,
  host: string,
  images: Partial<Record<"browser" | "desktop", number>>,
): LocalChoices {
  const { apiUrl, token, routerPort, doorPort, signIn } = cloud
  const port = (url: string) => Number(new URL(url).port)
  return {
    zone: LOCAL_ZONE,
    // The smallest that has room for the engine beside the service: memory is an eighth here.
    size: "cx43",
    hostPorts: [port(apiUrl), ...(signIn ? [port(signIn.url)] : [])],
    preferred: {
      FOOZOL_ALLOW: "everyone",
      FOOZOL_REGIONS: "fsn1, nbg1, hel1",
      ...(signIn
        ? {
            FOOZOL_GITHUB_URL: signIn.url,
            FOOZOL_GITHUB_CLIENT_ID: signIn.clientId,
            FOOZOL_GITHUB_CLIENT_SECRET: signIn.clientSecret,
          }
        : {}),
      ...(images.browser === undefined ? {} : { FOOZOL_IMAGE_BROWSER: String(images.browser) }),
      ...(images.desktop === undefined ? {} : { FOOZOL_IMAGE_DESKTOP: String(images.desktop) }),
    },
    needed: {
      // Browsers reach machines by the router, and machines the service by the local cloud's door.
      FOOZOL_URL: `https://${host}:${routerPort}`,
      FOOZOL_DESKTOP_PORT: String(routerPort),
      FOOZOL_MACHINE_URL: `http://${HOST_FROM_MACHINES}:${doorPort}`,
      HCLOUD_TOKEN: token,
      HCLOUD_ENDPOINT: apiUrl,
    },
  }
}
