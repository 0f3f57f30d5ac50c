import { overview } from '../../store/views/overview.ts'
import { pageAnswer } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { adminOverviewPage } from '../pages/admin-overview-page.ts'

/** `GET /admin` */
export const showOverview = pageRoute({
  method: 'GET',
  path: '/admin',
  access: 'admin',
  async handle({ view }, { services }) {
    const { db, policy } = services
    const counts = await overview(db, { now: services.now(), rules: policy.session })
    return pageAnswer(view, adminOverviewPage(view, counts))
  },
})
