export { type AccountModel, accountPage } from "./account.ts"
export { type ApiDocsModel, apiDocsPage } from "./api-docs/page.ts"
export { type Asset, assets } from "./assets.ts"
export { type BackupsModel, backupsPage, type RemoveBackupModel, removeBackupPage } from "./backups.ts"
export { type ConnectModel, connectPage, GOALS, type Goal } from "./connect.ts"
export { type DashboardModel, dashboardPage } from "./dashboard.ts"
export { type DeleteModel, deletePage } from "./delete.ts"
export { type DeleteAccountModel, deleteAccountPage } from "./delete-account.ts"
export { type ErrorModel, errorPage } from "./error.ts"
export { attributes, Html, html, safeUrl } from "./html.ts"
export { type LandingModel, landingPage } from "./landing.ts"
export type { ActivityView, AgentsView, CreateOptions, Money, Notice, SignedIn, User, WorkspaceView } from "./models.ts"
export {
  type NewWorkspaceField,
  type NewWorkspaceModel,
  type NewWorkspaceValues,
  newWorkspacePage,
  type Origin,
} from "./new-workspace.ts"
export { type NotificationsModel, notificationsPage } from "./notifications.ts"
export { type OperationModel, operationPage } from "./operation.ts"
export { type AuditModel, auditPage } from "./operator/audit.ts"
export { type CertificatesModel, certificatesPage } from "./operator/certificates.ts"
export { type FleetModel, fleetPage } from "./operator/fleet.ts"
export { type OperationsModel, operationsPage } from "./operator/operations.ts"
export { type PeopleModel, type PersonModel, peoplePage, personPage } from "./operator/people.ts"
export { type StackModel, stackPage } from "./operator/stack.ts"
export { type UpkeepModel, upkeepPage } from "./operator/upkeep.ts"
export {
  type DestroyModel,
  destroyPage,
  type OperatorWorkspaceModel,
  operatorWorkspacePage,
} from "./operator/workspace.ts"
export { factsIn } from "./size-choices.ts"
export { type UsageModel, usagePage } from "./usage.ts"
export { type RestoreHomeModel, restoreHomePage } from "./workspace/home-backups.ts"
export type {
  BackupView,
  PlaceOffer,
  RegionOffer,
  SizeOffer,
  StopChoice,
  WorkspaceModel,
} from "./workspace/model.ts"
export { workspacePage } from "./workspace/page.ts"
export { type RestoreModel, restorePage } from "./workspace/restore.ts"
export { KEEP_SPANS } from "./workspace/settings.ts"
