// Made from proto/pluginregistration.proto by "npm run generate". A message that is absent is null, one of a oneof is not there;
// 64-bit numbers are decimal strings.
import type { Method } from "../method.ts";

export interface RegistrationService {
  readonly GetInfo: Method<InfoRequest, PluginInfo>;
  readonly NotifyRegistrationStatus: Method<RegistrationStatus, RegistrationStatusResponse>;
}

export type InfoRequest = Readonly<Record<never, never>>;

export interface PluginInfo {
  readonly type: string;
  readonly name: string;
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}

export interface RegistrationStatus {
  readonly pluginRegistered: boolean;
  readonly error: string;
}

export type RegistrationStatusResponse = Readonly<Record<never, never>>;
